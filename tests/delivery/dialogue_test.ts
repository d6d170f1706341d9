/** What an attempt tells of the dialogue it led. */
import { assert, assertEquals } from "@std/assert";
import { ServerLogin } from "../../src/auth/client/server_login.ts";
import { seededRandom } from "../../src/base/random.ts";
import { selfSigned } from "../support/certificates.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { CLOSE, type Script } from "../support/scripted_peer.ts";
import { smarthostSetup } from "../support/smarthost_setup.ts";

/** The dialogue of one attempt, with the port of the peer replaced. */
async function dialogueOf(
  script: Script,
  options: Parameters<typeof smarthostSetup>[1] = {},
): Promise<string[][]> {
  await using setup = smarthostSetup(script, options);
  const dialogues: string[][] = [];
  for (let count = 0; count < 2; count++) {
    const { dialogue } = await setup.deliver(sampleJob());
    dialogues.push(
      (dialogue?.lines() ?? []).map((line) => line.replaceAll(/:\d{4,5}\b/g, ":PORT")),
    );
  }
  return dialogues;
}

Deno.test("an attempt tells all that was said, and a kept connection that it was kept", async () => {
  const [first, second] = await dialogueOf({ extensions: ["PIPELINING"] });
  assertEquals(first?.slice(0, 4), [
    "-- Connected to [127.0.0.1]:PORT",
    "S: 220 peer.test ready",
    "C: EHLO relay.example",
    "S: 250-peer.test",
  ]);
  const transaction = [
    "C: MAIL FROM:<sender@origin.example>",
    "C: RCPT TO:<rcpt@dest.example>",
    "C: DATA",
  ];
  assertEquals(first?.filter((line) => line.startsWith("C:")).slice(1), transaction);
  assert(first?.some((line) => /^-- Message of \d+ octets, then the final dot$/.test(line)));
  assertEquals(first?.at(-1), "S: 250 2.0.0 Stored");
  assertEquals(second?.[0], "-- Kept connection to [127.0.0.1]:PORT, message 2 on it");
  assertEquals(second?.slice(1, 4), transaction);
});

Deno.test("a dialogue has neither a password nor what is made of it", async () => {
  const login = new ServerLogin({
    username: "relay",
    secret: { kind: "password", password: "sesame" },
    mechanisms: ["PLAIN"],
    allowPlain: false,
    random: seededRandom(1),
  });
  const [lines = []] = await dialogueOf({
    extensions: ["STARTTLS", "AUTH PLAIN"],
    tls: { certificates: [selfSigned({ names: ["peer.test"] })] },
    answers: { AUTH: "235 2.7.0 Welcome" },
  }, { login });
  assert(lines.includes("C: AUTH PLAIN (not recorded)"));
  assert(lines.some((line) => line.startsWith("-- TLS: TLSv1.")));
  const text = lines.join("\n");
  assert(!text.includes("sesame") && !text.includes(btoa("\0relay\0sesame")));
});

Deno.test("a dialogue tells how it broke off", async () => {
  const [lines] = await dialogueOf({ answers: { ".": [CLOSE] } });
  assertEquals(lines?.at(-1), "-- The server closed the connection");
});
