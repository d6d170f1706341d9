import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsersError } from "../../src/auth/create_authenticator.ts";
import { formatReply } from "../../src/mail/reply.ts";
import {
  base64,
  bench,
  CLIENT,
  exchangeOf,
  makeUser,
  plainLogin,
  SETTINGS,
  told,
} from "./support.ts";

const alice = await makeUser({
  name: "Alice@example.net",
  password: "correct horse",
  devices: { printer: "battery staple" },
  senders: ["alice@example.net"],
});
const bob = await makeUser({ name: "bob", password: "hunter2", enabled: false });
const carol = await makeUser({ name: "carol" });
const users = [alice, bob, carol];

Deno.test("PLAIN logs a user in, whatever the case of the name", async () => {
  await using on = await bench({ users });
  const step = await plainLogin(on, { user: "alice@EXAMPLE.net", password: "correct horse" });
  assertEquals(step, {
    kind: "success",
    identity: { user: "Alice@example.net", device: null, mechanism: "PLAIN" },
  });
});

Deno.test("the password of a device logs its user in", async () => {
  await using on = await bench({ users });
  const step = await plainLogin(on, { user: "alice@example.net", password: "battery staple" });
  assertEquals(told(step), "success Alice@example.net/printer");
});

const WRONG: readonly (readonly [string, string, string, string])[] = [
  ["a wrong password", "alice@example.net", "x", `wrong password for user "Alice@example.net"`],
  ["an unknown user", "mallory", "x", "no such user"],
  ["a name that is none", "a b", "x", "no such user"],
  [
    "a password that is none",
    "alice@example.net",
    "\x07",
    `wrong password for user "Alice@example.net"`,
  ],
  ["a disabled user", "bob", "hunter2", `user "bob" is disabled`],
  ["a disabled user's wrong password", "bob", "x", `wrong password for user "bob"`],
  ["a user without a password", "carol", "x", `user "carol" has no password`],
];

for (const [what, user, password, cause] of WRONG) {
  Deno.test(`${what} costs one hash, as a right one does, and gets 535`, async () => {
    await using on = await bench({ users });
    const step = await plainLogin(on, { user, password });
    assertEquals(told(step), `credentials: ${cause}`);
    assertEquals(on.hashed.length, 1);
    assert(step.kind === "failure");
    assertEquals(formatReply(step.reply), "535 5.7.8 Authentication credentials invalid");
  });
}

Deno.test("the dialogue of RFC 4954 section 4.1: LOGIN-like challenges in base64", async () => {
  await using on = await bench({ users });
  const exchange = exchangeOf(on, "login");
  assertEquals(await exchange.begin(null), { kind: "challenge", text: "VXNlcm5hbWU6" });
  assertEquals(await exchange.respond(base64("alice@example.net")), {
    kind: "challenge",
    text: "UGFzc3dvcmQ6",
  });
  assertEquals(told(await exchange.respond(base64("correct horse"))), "success Alice@example.net");
});

const BAD_LINES: readonly (readonly [string, string, string])[] = [
  ["a cancelled exchange", "*", "501 5.7.0 Authentication cancelled"],
  ["a line that is not base64", "not base64", "501 5.5.2 Cannot read the authentication response"],
  ["base64 without padding", "AGEAYg", "501 5.5.2 Cannot read the authentication response"],
  ["bits behind the padding", "AGEAYh==", "501 5.5.2 Cannot read the authentication response"],
  ["an empty message", "", "501 5.5.2 Cannot read the authentication response"],
  [
    "a line that is too long",
    "A".repeat(12_288),
    "500 5.5.6 Authentication exchange line is too long",
  ],
];

for (const [what, line, reply] of BAD_LINES) {
  Deno.test(`${what} gets ${reply.slice(0, 9)} and costs no hash`, async () => {
    await using on = await bench({ users });
    const exchange = exchangeOf(on, "PLAIN");
    assertEquals(told(await exchange.begin(null)), "challenge ");
    const step = await exchange.respond(line);
    assertEquals(step.kind === "failure" ? formatReply(step.reply) : step.kind, reply);
    assertEquals(on.hashed, []);
  });
}

Deno.test("an empty initial response is an equals sign (RFC 4954 section 4)", async () => {
  await using on = await bench({ users });
  const step = await exchangeOf(on, "PLAIN").begin("=");
  assertEquals(step.kind === "failure" && step.failure, "malformed");
});

Deno.test("mechanisms are those that every user can use", async () => {
  await using on = await bench({ users });
  assertEquals(on.authenticator.mechanisms(CLIENT), ["SCRAM-SHA-256", "PLAIN", "LOGIN"]);
  const dave = await makeUser({ name: "dave", password: "x", scram: false });
  await on.authenticator.reload({ auth: SETTINGS, users: [...users, dave] }, { usersFile: null });
  assertEquals(on.authenticator.mechanisms(CLIENT), ["PLAIN", "LOGIN"]);
  const auth = { ...SETTINGS, mechanisms: ["PLAIN"] };
  await on.authenticator.reload({ auth, users }, { usersFile: null });
  assertEquals(on.authenticator.mechanisms(CLIENT), ["PLAIN"]);
  assertEquals(on.authenticator.start("LOGIN", CLIENT), null);
  await on.authenticator.reload({ auth: SETTINGS, users: [] }, { usersFile: null });
  assertEquals(on.authenticator.mechanisms(CLIENT), []);
});

Deno.test("an account is what is configured now", async () => {
  await using on = await bench({ users });
  assertEquals(on.authenticator.account("ALICE@example.net"), {
    name: "Alice@example.net",
    senders: ["alice@example.net"],
    messageSizeBytes: null,
    messagesPerHour: null,
    messagesPerDay: null,
  });
  assertEquals(on.authenticator.account("bob"), null);
  assertEquals(on.authenticator.account("mallory"), null);
});

Deno.test("users that cannot be used are refused and the former ones stay", async () => {
  await using on = await bench({ users });
  const broken = { auth: SETTINGS, users: [{ ...alice, password: "secret" }] };
  const error = await assertRejects(
    () => on.authenticator.reload(broken, { usersFile: null }),
    UsersError,
    `user "Alice@example.net" has a password that is no scrypt hash`,
  );
  assert(!error.message.includes("secret"));
  const step = await plainLogin(on, { user: "alice@example.net", password: "correct horse" });
  assertEquals(step.kind, "success");
});

Deno.test("a check that breaks is temporary", async () => {
  const hasher = () => Promise.reject(new Error("out of memory"));
  await using on = await bench({ users }, { hasher });
  const step = await plainLogin(on, { user: "alice@example.net", password: "correct horse" });
  assertEquals(told(step), "unavailable: the check failed: out of memory");
});

Deno.test("a certificate stands for its user, by AUTH EXTERNAL or without AUTH", async () => {
  const certificates = [
    { user: "carol", fingerprint: "AA:bb", subject: null, san: null },
    { user: "Alice@example.net", fingerprint: null, subject: "CN=alice", san: null },
    { user: "bob", fingerprint: null, subject: null, san: "bob.example.net" },
  ];
  await using on = await bench({ users, auth: { ...SETTINGS, certificates } });
  const stranger = {
    authorized: false,
    fingerprintSha256: "aabb",
    subject: "CN=alice",
    names: ["bob.example.net"],
  };
  const { authenticator } = on;
  assertEquals(authenticator.identify(stranger), {
    user: "carol",
    device: null,
    mechanism: "CERTIFICATE",
  });
  const trusted = { ...stranger, authorized: true, fingerprintSha256: "cc" };
  assertEquals(authenticator.identify(trusted)?.user, "Alice@example.net");
  assertEquals(authenticator.identify({ ...trusted, authorized: false }), null);
  // bob is disabled
  assertEquals(authenticator.identify({ ...trusted, subject: "CN=other" }), null);
  const facts = { ...CLIENT, certificate: trusted };
  assertEquals(authenticator.mechanisms(facts)[0], "EXTERNAL");
  const step = await exchangeOf(on, "EXTERNAL", facts).begin("=");
  assertEquals(told(step), "success Alice@example.net");
  assertEquals(authenticator.start("EXTERNAL", CLIENT), null);
});
