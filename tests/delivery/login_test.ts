import { assertEquals, assertMatch } from "@std/assert";
import { AccessTokens } from "../../src/base/access_tokens.ts";
import { type ClientMechanism, ServerLogin } from "../../src/auth/client/server_login.ts";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { Login } from "../../src/delivery/smtp/options.ts";
import { selfSigned } from "../support/certificates.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { CLOSE, type Script } from "../support/scripted_peer.ts";
import { inWords, smarthostSetup } from "../support/smarthost_setup.ts";

const TLS: Script = {
  extensions: ["PIPELINING", "STARTTLS", "AUTH LOGIN PLAIN"],
  tls: { certificates: [selfSigned({ names: ["peer.test"] })] },
};

function password(
  mechanisms: readonly ClientMechanism[] = ["PLAIN", "LOGIN"],
  options: { allowPlain?: boolean } = {},
): Login {
  return new ServerLogin({
    username: "relay",
    secret: { kind: "password", password: "sesame" },
    mechanisms,
    allowPlain: false,
    random: seededRandom(1),
    ...options,
  });
}

const base64 = (text: string): string => btoa(text);

Deno.test("the relay logs in inside TLS before its first message, once", async () => {
  const answers = { AUTH: "235 2.7.0 Welcome" };
  await using setup = smarthostSetup({ ...TLS, answers }, { login: password() });
  for (let count = 0; count < 2; count++) {
    assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
  }
  assertEquals(setup.peer.lines.slice(0, 5), [
    "EHLO relay.example",
    "STARTTLS",
    "EHLO relay.example",
    `AUTH PLAIN ${base64("\0relay\0sesame")}`,
    "MAIL FROM:<sender@origin.example>",
  ]);
  assertEquals(setup.peer.lines.filter((line) => line.startsWith("AUTH")).length, 1);
});

Deno.test("the relay answers challenges", async () => {
  const answers = {
    AUTH: `334 ${base64("Username:")}`,
    [base64("relay")]: `334 ${base64("Password:")}`,
    [base64("sesame")]: "235 2.7.0 Welcome",
  };
  await using setup = smarthostSetup({ ...TLS, answers }, { login: password(["LOGIN"]) });
  assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
  assertEquals(setup.peer.lines[3], "AUTH LOGIN");
});

Deno.test("a password is not sent over a plain connection unless the config says so", async () => {
  const script: Script = { extensions: ["AUTH PLAIN"], answers: { AUTH: "235 2.7.0 Welcome" } };
  await using strict = smarthostSetup(script, { login: password() });
  assertMatch(
    inWords(await strict.deliver(sampleJob())).join(),
    /^broken 451 4\.7\.8 Cannot log in to .*: the connection is not secured$/,
  );
  assertEquals(strict.peer.lines, ["EHLO relay.example", "QUIT"]);
  await using lenient = smarthostSetup(script, {
    login: password(["PLAIN"], { allowPlain: true }),
  });
  assertEquals(inWords(await lenient.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
});

/** Answers to AUTH and what they mean for mail. */
const REFUSALS: readonly [name: string, answer: Script["answers"], outcome: RegExp][] = [
  ["a wrong password", { AUTH: "535 5.7.8 No" }, /^broken 451 4\.7\.8 Cannot log in .*535 5\.7\.8/],
  ["a busy server", { AUTH: "454 4.7.0 Later" }, /^temporary 454 4\.7\.0 Later$/],
  ["a lost connection", { AUTH: [CLOSE] }, /^broken 451 4\.4\.2 .* closed .* after AUTH$/],
  ["a challenge too many", { AUTH: "334 bW9yZQ==" }, /^broken 451 4\.7\.8 .*could not prove/],
  ["a challenge that is none", { AUTH: "334 ?" }, /^broken 451 4\.7\.8 .*could not prove/],
];
for (const [name, answers = {}, outcome] of REFUSALS) {
  Deno.test(`no mail bounces for ${name}`, async () => {
    await using setup = smarthostSetup({ ...TLS, answers }, { login: password(["PLAIN"]) });
    assertMatch(inWords(await setup.deliver(sampleJob())).join(), outcome);
    assertEquals(setup.peer.messages, []);
  });
}

/** Refusals of the first of two mechanisms, and whether the second is tried. */
const PASSED_OVER: readonly [refusal: string, isTried: boolean][] = [
  ["504 5.5.4 Unrecognized authentication type", true],
  ["504 5.7.4 Unrecognized authentication type", true],
  ["534 5.7.9 Too weak", true],
  ["534 No", true],
  ["538 5.7.11 Encryption needed", true],
  ["432 4.7.12 A password transition is needed", true],
  ["535 5.7.9 Log in with your browser", true],
  ["535 5.7.8 Wrong", false],
  ["535 Wrong", false],
  ["454 4.7.0 Later", false],
  ["421 4.7.0 Go away", false],
];
for (const [refusal, isTried] of PASSED_OVER) {
  Deno.test(`a mechanism refused with ${refusal} is ${isTried ? "" : "not "}passed over`, async () => {
    const first = `AUTH PLAIN ${base64("\0relay\0sesame")}`;
    const answers = {
      [first]: refusal,
      AUTH: `334 ${base64("Username:")}`,
      [base64("relay")]: `334 ${base64("Password:")}`,
      [base64("sesame")]: "235 2.7.0 Welcome",
    };
    await using setup = smarthostSetup({ ...TLS, answers }, { login: password() });
    const outcome = inWords(await setup.deliver(sampleJob())).join();
    assertEquals(outcome === "delivered 250 2.0.0 Stored", isTried, outcome);
    const tried = setup.peer.lines.filter((line) => line.startsWith("AUTH"));
    assertEquals(tried, isTried ? [first, "AUTH LOGIN"] : [first]);
  });
}

Deno.test("where all mechanisms are refused the last refusal is told, and each is tried once", async () => {
  const answers = { AUTH: "534 5.7.9 Too weak" };
  await using setup = smarthostSetup({ ...TLS, answers }, { login: password() });
  assertMatch(
    inWords(await setup.deliver(sampleJob())).join(),
    /^broken 451 4\.7\.8 Cannot log in .*534 5\.7\.9 Too weak$/,
  );
  assertEquals(setup.peer.lines.filter((line) => line.startsWith("AUTH")).length, 2);
});

Deno.test("no mail bounces where no mechanism is in common", async () => {
  await using setup = smarthostSetup(TLS, { login: password(["SCRAM-SHA-256"]) });
  assertMatch(
    inWords(await setup.deliver(sampleJob())).join(),
    /^broken 451 4\.7\.8 .*no mechanism in common with LOGIN, PLAIN$/,
  );
});

Deno.test("a server that claims success without the proof of SCRAM is not trusted", async () => {
  const script = {
    ...TLS,
    extensions: ["STARTTLS", "AUTH SCRAM-SHA-256"],
    answers: { AUTH: "235 2.7.0 Of course" },
  };
  await using setup = smarthostSetup(script, { login: password(["SCRAM-SHA-256"]) });
  assertMatch(inWords(await setup.deliver(sampleJob())).join(), /could not prove/);
  assertEquals(setup.peer.messages, []);
});

Deno.test("a token goes in a line of its own where it is long, and is renewed when refused", async () => {
  let fetched = 0;
  const post = () =>
    Promise.resolve({
      kind: "answered" as const,
      status: 200,
      json: { access_token: `${++fetched}${"x".repeat(600)}` },
    });
  const grant = { tokenUrl: "https://login.example/", clientId: "a", clientSecret: "" };
  const tokens = new AccessTokens(grant, { post, clock: systemClock });
  const login = new ServerLogin({
    username: "relay",
    secret: { kind: "oauth", tokens },
    mechanisms: ["XOAUTH2"],
    allowPlain: false,
    random: seededRandom(1),
  });
  const line = (count: number) =>
    base64(`user=relay\x01auth=Bearer ${count}${"x".repeat(600)}\x01\x01`);
  const script = {
    ...TLS,
    extensions: ["STARTTLS", "AUTH XOAUTH2"],
    answers: {
      AUTH: "334 ",
      [line(1)]: `334 ${base64('{"status":"401"}')}`,
      "": "535 5.7.8 Expired",
      [line(2)]: "235 2.7.0 Welcome",
    },
  };
  await using setup = smarthostSetup(script, { login, failureMemoryMs: 0 });
  assertMatch(inWords(await setup.deliver(sampleJob())).join(), /^broken .*535 5\.7\.8 Expired$/);
  assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
});
