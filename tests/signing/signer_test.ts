import { assert, assertEquals, assertMatch } from "@std/assert";
import { concatBytes, decodeText, encodeText } from "../../src/base/bytes.ts";
import { Gate } from "../../src/base/gate.ts";
import { seededRandom } from "../../src/base/random.ts";
import { generateKey, readKey } from "../../src/signing/key.ts";
import { type DkimKey, keysFor, readKeys } from "../../src/signing/keys.ts";
import { recordName, recordValue } from "../../src/signing/record.ts";
import { DkimSigner } from "../../src/signing/signer.ts";
import {
  haveDkimPy,
  haveOpenDkim,
  verifyWithDkimPy,
  verifyWithOpenDkim,
} from "../support/dkim_peers.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { AWKWARD_MESSAGES, messageOfSize, sampleMessage } from "../support/sample_messages.ts";

const RSA = generateKey({ type: "rsa" });
const ED25519 = generateKey({ type: "ed25519" });
const KEYS = readKeys([
  { domain: "source.test", selector: "rsa1", key: RSA, from: null },
  { domain: "source.test", selector: "ed1", key: ED25519, from: null },
]);
const RECORDS = Object.fromEntries(
  KEYS.map((one) => [recordName(one), recordValue(one.key)]),
);
/** A time that verifiers do not take for the future. */
const CLOCK = new ManualClock(Date.now());

async function sign(
  message: Uint8Array,
  { keys = KEYS, cuts = [] }: { keys?: readonly DkimKey[]; cuts?: readonly number[] } = {},
): Promise<string> {
  const stream = new DkimSigner({ keys, clock: CLOCK, gate: new Gate(2) }).begin();
  const edges = [0, ...cuts, message.length];
  edges.slice(1).forEach((end, index) => stream.write(message.subarray(edges[index], end)));
  return await stream.finish();
}

function whole(prefix: string, message: Uint8Array): Uint8Array {
  return concatBytes([encodeText(prefix), message]);
}

/** Neither verifier reads a message without the empty line after its header section. */
const { "a header section without a body": _, ...READABLE } = AWKWARD_MESSAGES;
const MESSAGES = { ...READABLE, "300 KiB": messageOfSize(300_000) };

for (const [name, message] of Object.entries(MESSAGES)) {
  Deno.test({
    name: `OpenDKIM verifies each signature: ${name} (needs opendkim)`,
    ignore: !haveOpenDkim,
    async fn() {
      for (const key of KEYS) {
        const signed = whole(await sign(message, { keys: [key] }), message);
        const found = await verifyWithOpenDkim(signed, RECORDS);
        assertEquals(found, [`s=${key.selector} d=source.test`]);
      }
    },
  });

  Deno.test({
    name: `dkimpy verifies both signatures: ${name} (needs python3-dkim)`,
    ignore: !haveDkimPy,
    async fn() {
      const signed = whole(await sign(message), message);
      assertEquals(await verifyWithDkimPy(signed, RECORDS), [true, true]);
    },
  });
}

const CHANGES: readonly [string, (text: string) => string][] = [
  ["the body", (text) => text.replace("Hello", "Hellp")],
  ["a field", (text) => text.replace("Subject: sample", "Subject: other")],
  ["a second From", (text) => text.replace("From:", "From: x@evil.test\r\nFrom:")],
  ["a second Subject", (text) => text.replace("Subject:", "Subject: evil\r\nSubject:")],
  ["a Cc that was not there", (text) => text.replace("To:", "Cc: x@evil.test\r\nTo:")],
];

for (const [what, change] of CHANGES) {
  Deno.test({
    name: `a signature does not survive a change of ${what} (needs python3-dkim)`,
    ignore: !haveDkimPy,
    async fn() {
      const message = sampleMessage();
      const signed = decodeText(whole(await sign(message), message));
      const changed = encodeText(change(signed));
      const results = await verifyWithDkimPy(changed, RECORDS);
      assertEquals(results.length, 2);
      assert(!results.includes(true));
    },
  });
}

Deno.test("what a next hop does to white space and folding leaves a signature good", async () => {
  const message = sampleMessage();
  const prefix = await sign(message);
  const text = decodeText(whole(prefix, message)).replace("Subject: sample", "subject:   sample  ")
    .replace("Hello", "Hello   ");
  const results = haveDkimPy ? await verifyWithDkimPy(encodeText(text), RECORDS) : [true, true];
  assertEquals(results, [true, true]);
});

Deno.test("a message is signed the same however it is cut", async () => {
  const random = seededRandom(5);
  const keys = KEYS.filter(({ key }) => key.type === "ed25519");
  for (const message of Object.values(AWKWARD_MESSAGES)) {
    const expected = await sign(message, { keys });
    for (let round = 0; round < 20; round++) {
      const cuts = Array.from({ length: 6 }, () => Math.floor(random.float() * message.length));
      assertEquals(await sign(message, { keys, cuts: cuts.sort((a, b) => a - b) }), expected);
    }
  }
});

Deno.test("a signature field keeps to the lines of RFC 5322 and says what it covers", async () => {
  const prefix = await sign(sampleMessage());
  assert(prefix.split("\r\n").every((line) => line.length <= 78), prefix);
  assertMatch(prefix, /^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed;/);
  const covered = prefix.replace(/\s/g, "").match(/;h=([^;]*);/)?.[1]?.split(":");
  assertEquals(covered?.filter((name) => name === "from").length, 2);
  assertEquals(covered?.filter((name) => name === "cc").length, 1);
});

Deno.test("mail of an author nobody has a key for is not signed", async () => {
  for (const from of ["a@other.test", "a@[192.0.2.1]", "undisclosed", ""]) {
    assertEquals(await sign(encodeText(`From: ${from}\r\n\r\ntext\r\n`)), "");
  }
  assertEquals(await sign(encodeText("Subject: no author\r\n\r\ntext\r\n")), "");
});

Deno.test("the author is found behind names, comments and other mailboxes", async () => {
  const froms = [
    `"a@other.test" <b@source.test>`,
    "(x@other.test) b@SOURCE.test",
    "Ann\r\n <b@source.test>",
    "b@source.test, c@other.test",
    "c@other.test, b@source.test",
    "c@other.test\r\nSender: b@source.test",
  ];
  for (const from of froms) {
    const keys = KEYS.slice(1);
    assertMatch(await sign(encodeText(`From: ${from}\r\n\r\n`), { keys }), /d=source\.test/);
  }
});

Deno.test("nobody signs when it is not clear whose mail it is", async () => {
  const two = "a@source.test\r\nFrom: b@source.test";
  const long = `${"a@other.test, ".repeat(1000)}b@source.test`;
  const senders = "a@other.test\r\nSender: a@source.test\r\nSender: b@source.test";
  for (const from of [two, long, senders, "\r\nSender: a@source.test"]) {
    assertEquals(await sign(encodeText(`From: ${from}\r\n\r\n`)), "");
  }
});

Deno.test("each author's keys sign, each once", async () => {
  const other = { domain: "other.test", selector: "o1", key: ED25519, from: null };
  const keys = readKeys([other, { ...other, domain: "source.test" }]);
  const from = "a@other.test, b@source.test, c@news.other.test, d@third.test";
  const prefix = await sign(encodeText(`From: ${from}\r\n\r\n`), { keys });
  assertEquals([...prefix.matchAll(/ d=([^;]*)/g)].map(([, domain]) => domain), [
    "other.test",
    "source.test",
  ]);
});

/** Header sections that programs write differently, or should not write at all. */
const HEADERS: Readonly<Record<string, string>> = {
  "an empty Subject": "Subject:\r\n",
  "a Subject of white space": "Subject: \t \r\n",
  "a name in capitals": "SUBJECT: x\r\n",
  "folding before the text": "Subject:\r\n x\r\n",
  "folding in the middle, and white space at its ends": "Subject: a \t\r\n\t b\r\n  c  \r\n",
  "a folded line of white space": "Subject: a\r\n \r\n b\r\n",
  "a field of 200 lines": `References:${"\r\n <1234567890@mail.source.test>".repeat(200)}\r\n`,
  "a field twice, and a third of its kind":
    "To: x@sink.test\r\nCc: y@sink.test\r\nTo: z@sink.test\r\n",
  "octets above 127": "Subject: Gr\u00fc\u00dfe \u65e5\u672c\r\n",
  "tags in a value": "Subject: ; b=abc; bh=d; h=from\r\n",
  "500 fields": Array.from({ length: 500 }, (_, index) => `X-${index}: y\r\n`).join(""),
};

for (const [name, fields] of Object.entries(HEADERS)) {
  const message = encodeText(`${fields}From: a@source.test\r\n\r\nHello\r\n\r\n \r\n\r\n`);
  Deno.test({
    name: `both verifiers take a header section with ${name} (needs opendkim, python3-dkim)`,
    ignore: !haveOpenDkim || !haveDkimPy,
    async fn() {
      const signed = whole(await sign(message), message);
      assertEquals(await verifyWithDkimPy(signed, RECORDS), [true, true]);
      assertEquals(await verifyWithOpenDkim(signed, RECORDS), ["s=rsa1 d=source.test"]);
    },
  });
}

const CHOICES: readonly [string, string[]][] = [
  ["example.net", ["a", "all"]],
  ["news.example.net", ["a", "all"]],
  ["shop.example.net", ["shop", "all"]],
  ["eu.shop.example.net", ["shop", "all"]],
  ["customer.example", ["customers", "all"]],
  ["notexample.net", ["all"]],
];

for (const [domain, expected] of CHOICES) {
  Deno.test(`keys for mail of ${domain}: ${expected.join(", ")}`, () => {
    const read = readKey(ED25519);
    if (read.kind !== "ok") throw new Error(read.reason);
    const { key } = read;
    const keys = [
      { domain: "example.net", selector: "a", from: null, key },
      { domain: "shop.example.net", selector: "shop", from: null, key },
      { domain: "esp.example", selector: "customers", from: ["customer.example"], key },
      { domain: "esp.example", selector: "all", from: ["*"], key },
    ];
    assertEquals(keysFor(keys, domain).map(({ selector }) => selector), expected);
  });
}

Deno.test("keys that are too short or no keys are refused with the reason", () => {
  const short = generateKey({ type: "rsa", bits: 512 });
  assertEquals(readKey(short), { kind: "problem", reason: "an RSA key of 512 bits" });
  assertEquals(readKey("?"), { kind: "problem", reason: "not a private key in PEM" });
  const old = readKey(generateKey({ type: "rsa", bits: 1024 }));
  assert(old.kind === "ok" && old.key.isShort);
});
