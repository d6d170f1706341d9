import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkKey, type TxtAnswer } from "../../src/signing/check.ts";
import { generateKey } from "../../src/signing/key.ts";
import { readKeys } from "../../src/signing/keys.ts";
import { recordValue } from "../../src/signing/record.ts";
import { makeKey } from "./verify_setup.ts";

const { key } = makeKey("example.net", "ed25519");
const P = key.key.publicKey;

/** What the DNS has, and what is said of it. */
const RECORDS: readonly [string, readonly string[], string, RegExp][] = [
  ["its record", [recordValue(key.key)], "ok", /matches this key/],
  ["a record without v=", [`k=ed25519; p=${P}`], "ok", /matches this key/],
  [
    "a record with spaces in it",
    [`v=DKIM1 ; k=ed25519; p=${P.slice(0, 9)} ${P.slice(9)};`],
    "ok",
    /./,
  ],
  ["a record that only tries", [`v=DKIM1; t=y:s; k=ed25519; p=${P}`], "warning", /t=y/],
  ["other records beside it", ["v=spf1 -all", recordValue(key.key)], "ok", /matches this key/],
  ["two keys", [recordValue(key.key), "v=DKIM1; p=MIIB"], "wrong", /several/],
  ["another key", ["v=DKIM1; k=ed25519; p=AAAA"], "wrong", /another key/],
  ["the beginning of it", [`v=DKIM1; k=ed25519; p=${P.slice(0, 20)}`], "wrong", /first part/],
  ["another type", [`v=DKIM1; p=${P}`], "wrong", /has k=rsa, but the key is ed25519/],
  ["a revoked key", ["v=DKIM1; k=ed25519; p="], "wrong", /revoked/],
  ["a key for SHA-1", [`v=DKIM1; h=sha1; k=ed25519; p=${P}`], "wrong", /SHA-256/],
  ["a key for something else", [`v=DKIM1; s=tlsrpt; k=ed25519; p=${P}`], "wrong", /not for mail/],
  ["another version", [`v=DKIM2; k=ed25519; p=${P}`], "wrong", /no DKIM key/],
  ["no list of tags", ["google-site-verification"], "wrong", /no DKIM key/],
];

for (const [what, records, verdict, detail] of RECORDS) {
  Deno.test(`a key whose name has ${what} is ${verdict}`, async () => {
    const found = await checkKey(key, () => Promise.resolve({ kind: "found", records }));
    assertEquals([found.verdict, found.name], [verdict, "s1._domainkey.example.net"]);
    assertMatch(found.detail, detail);
    assertEquals(found.wanted, recordValue(key.key));
  });
}

const ANSWERS: readonly [TxtAnswer, string][] = [
  [{ kind: "none" }, "wrong"],
  [{ kind: "nonexistent" }, "wrong"],
  [{ kind: "temporary", reason: "timeout" }, "unknown"],
];

for (const [answer, verdict] of ANSWERS) {
  Deno.test(`a key without an answer (${answer.kind}) is ${verdict}`, async () => {
    assertEquals((await checkKey(key, () => Promise.resolve(answer))).verdict, verdict);
  });
}

Deno.test("a key of 1024 bits works and should be replaced", async () => {
  const pem = generateKey({ type: "rsa", bits: 1024 });
  const [short] = readKeys([{ domain: "example.net", selector: "old", key: pem, from: null }]);
  assert(short !== undefined);
  const records = [recordValue(short.key)];
  const found = await checkKey(short, () => Promise.resolve({ kind: "found", records }));
  assertEquals(found.verdict, "warning");
  assertMatch(found.detail, /2048 bits/);
});
