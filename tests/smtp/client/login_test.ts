/** How a client says who it is (RFC 4954), and what ends that. */
import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { settle } from "../../support/manual_clock.ts";
import { type Heard, openedClient, opening } from "./played_conn.ts";

interface Login {
  readonly heard: readonly Heard[];
  readonly initial?: string | null;
  readonly responses?: readonly (string | null)[];
  readonly isComplete?: boolean;
}

async function logIn({ heard, initial = null, responses = [], isComplete = true }: Login) {
  const bench = await openedClient([...opening("AUTH X"), ...heard]);
  const challenges: string[] = [];
  const left = [...responses];
  const result = await bench.client.authenticate({
    mechanism: "X",
    initial: initial === null ? null : encodeText(initial),
    isComplete,
    respond(challenge) {
      challenges.push(new TextDecoder().decode(challenge));
      const next = left.shift() ?? null;
      return next === null ? null : encodeText(next);
    },
  }, { signal: bench.signal });
  return { ...bench, result, challenges, said: bench.conn.said };
}

const LOGINS:
  readonly (readonly [string, Login, { kind: string; said: string; usable: boolean }])[] = [
    ["an initial response", { heard: ["235 ok\r\n"], initial: "me" }, {
      ...{ kind: "authenticated", said: `AUTH X ${btoa("me")}\r\n`, usable: true },
    }],
    ["an empty initial response", { heard: ["235 ok\r\n"], initial: "" }, {
      ...{ kind: "authenticated", said: "AUTH X =\r\n", usable: true },
    }],
    ["challenges", {
      heard: [`334 ${btoa("who")}\r\n`, "334 \r\n", "235 ok\r\n"],
      responses: ["me", ""],
    }, { kind: "authenticated", said: `AUTH X\r\n${btoa("me")}\r\n\r\n`, usable: true }],
    ["an initial response too long for its line", {
      ...{ heard: ["334 \r\n", "235 ok\r\n"], initial: "x".repeat(400) },
    }, {
      kind: "authenticated",
      said: `AUTH X\r\n${btoa("x".repeat(400))}\r\n`,
      usable: true,
    }],
    ["a refusal", { heard: ["535 no\r\n"], initial: "me" }, {
      ...{ kind: "refused", said: `AUTH X ${btoa("me")}\r\n`, usable: true },
    }],
    ["a farewell", { heard: ["421 bye\r\n"], initial: "me" }, {
      ...{ kind: "refused", said: `AUTH X ${btoa("me")}\r\n`, usable: false },
    }],
    ["success before the exchange is over", {
      heard: ["235 ok\r\n"],
      initial: "me",
      isComplete: false,
    }, {
      ...{ kind: "not_trusted", said: `AUTH X ${btoa("me")}\r\n`, usable: false },
    }],
    ["a challenge that is not base64", { heard: ["334 ???\r\n", "501 ok\r\n"] }, {
      ...{ kind: "not_trusted", said: "AUTH X\r\n*\r\n", usable: false },
    }],
    ["a challenge that the mechanism refuses", {
      heard: ["334 \r\n", "501 ok\r\n"],
      responses: [null],
    }, {
      ...{ kind: "not_trusted", said: "AUTH X\r\n*\r\n", usable: false },
    }],
    ["a connection that ends", { heard: [null], initial: "me" }, {
      ...{ kind: "lost", said: `AUTH X ${btoa("me")}\r\n`, usable: false },
    }],
    ["another 3yz reply than 334", { heard: ["354 go\r\n"], initial: "me" }, {
      ...{ kind: "refused", said: `AUTH X ${btoa("me")}\r\n`, usable: true },
    }],
  ];

for (const [what, login, { kind, said, usable }] of LOGINS) {
  Deno.test(`client login: ${what}`, async () => {
    const found = await logIn(login);
    assertEquals([found.result.kind, found.said, found.client.isUsable], [kind, said, usable]);
    assertEquals(found.transcript.lines().some((line) => line.includes(btoa("me"))), false);
  });
}

Deno.test("client login: a line of 512 octets is one line, with CRLF", async () => {
  const fits = (512 - "AUTH X \r\n".length) / 4 * 3;
  const initial = "x".repeat(Math.floor(fits / 3) * 3);
  const one = await logIn({ heard: ["235 ok\r\n"], initial });
  assertEquals(one.said.length <= 512 && one.said.startsWith("AUTH X e"), true);
  const two = await logIn({ heard: ["334 \r\n", "235 ok\r\n"], initial: `${initial}xxx` });
  assertEquals(two.said.startsWith("AUTH X\r\n"), true);
});

Deno.test("client login: a cancelled one is not heard of again until its answer", async () => {
  const { client, conn, signal } = await openedClient([...opening(), "334 ???\r\n"]);
  const exchange = { mechanism: "X", initial: null, isComplete: false, respond: () => null };
  let isDone = false;
  const running = client.authenticate(exchange, { signal }).finally(() => isDone = true);
  await settle();
  assertEquals([conn.said, isDone, conn.isClosed], ["AUTH X\r\n*\r\n", false, false]);
  conn.hear("501 cancelled\r\n");
  assertEquals((await running).kind, "not_trusted");
  assertEquals(conn.isClosed, true);
});
