import { assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { AuthStep } from "../../src/auth/authenticator.ts";
import { seededRandom } from "../../src/base/random.ts";
import { base64, type Bench, bench, exchangeOf, makeUser, told } from "./support.ts";

const alice = await makeUser({
  name: "alice",
  password: "right",
  devices: { printer: "paper" },
});
const bob = await makeUser({ name: "bob", password: "right", enabled: false });
const users = [alice, bob];

/** Logs in as RFC 5802 section 5 has clients do it. */
async function scramLogin(on: Bench, user: string, password: string): Promise<AuthStep> {
  const exchange = exchangeOf(on, "SCRAM-SHA-256");
  const bare = `n=${user},r=clientnonce`;
  const first = await exchange.begin(base64(`n,,${bare}`));
  if (first.kind !== "challenge") return first;
  const serverFirst = Buffer.from(first.text, "base64").toString();
  const [, nonce = "", salt = "", count = ""] = /^r=(.+),s=(.+),i=(\d+)$/.exec(serverFirst) ?? [];
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(count), 32, "sha256");
  const key = createHmac("sha256", salted).update("Client Key").digest();
  const stored = createHash("sha256").update(key).digest();
  const withoutProof = `c=biws,r=${nonce}`;
  const message = `${bare},${serverFirst},${withoutProof}`;
  const signature = createHmac("sha256", stored).update(message).digest();
  const proof = Buffer.from(key.map((octet, index) => octet ^ (signature[index] ?? 0)));
  const final = await exchange.respond(base64(`${withoutProof},p=${proof.toString("base64")}`));
  if (final.kind !== "challenge") return final;
  assertMatch(told(final), /^challenge v=/);
  return await exchange.respond("");
}

/** The salt and count that a name gets. */
async function saltOf(on: Bench, user: string): Promise<string> {
  const exchange = exchangeOf(on, "SCRAM-SHA-256");
  return told(await exchange.begin(base64(`n,,n=${user},r=x`))).replace(/^.*,s=/, "");
}

Deno.test("SCRAM logs in without hashing anything here", async () => {
  await using on = await bench({ users });
  assertEquals(told(await scramLogin(on, "alice", "right")), "success alice");
  assertEquals(told(await scramLogin(on, "alice", "paper")), "success alice/printer");
  assertEquals(on.hashed, []);
});

Deno.test("SCRAM fails for wrong passwords, unknown and disabled users", async () => {
  await using on = await bench({ users });
  assertEquals(
    told(await scramLogin(on, "alice", "wrong")),
    "credentials: the SCRAM proof is wrong",
  );
  assertEquals(told(await scramLogin(on, "mallory", "right")), "credentials: no such user");
  assertEquals(told(await scramLogin(on, "bob", "right")), `credentials: user "bob" is disabled`);
});

Deno.test("wrong SCRAM proofs are slowed", async () => {
  await using on = await bench({ users });
  for (let time = 0; time < 4; time++) await scramLogin(on, "alice", "wrong");
  const late = scramLogin(on, "alice", "right");
  assertEquals(on.clock.nextTimerAtMs, on.clock.now() + 1000);
  await on.clock.advance(1000);
  assertEquals(told(await late), "success alice");
});

Deno.test("an unknown user has a salt, the same one each time", async () => {
  await using on = await bench({ users });
  const salt = await saltOf(on, "mallory");
  assertMatch(salt, /^[A-Za-z0-9+/]{22}==,i=4096$/);
  assertEquals(await saltOf(on, "Mallory"), salt);
  assertEquals(await saltOf(on, "trudy") === salt, false);
});

Deno.test("with a key in the users file it is the same after a restart", async () => {
  const decoyKey = new Uint8Array(32).fill(7);
  const usersFile = {
    version: () => Promise.resolve("1"),
    read: () => Promise.resolve({ kind: "ok" as const, users, decoyKey }),
  };
  await using before = await bench({}, { usersFile, random: seededRandom(1) });
  await using after = await bench({}, { usersFile, random: seededRandom(2) });
  assertEquals(await saltOf(before, "mallory"), await saltOf(after, "mallory"));
});
