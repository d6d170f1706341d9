import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { TxtLookup } from "../../../src/signing/verify/public_key.ts";
import { haveDkimPy, sealWithDkimPy, verifyArcWithDkimPy } from "../../support/dkim_peers.ts";
import { messageOfSize, sampleMessage } from "../../support/sample_messages.ts";
import { dnsOf, makeKey, recordsOf, seal, verify } from "../verify_setup.ts";

const LIST = makeKey("list.test");
const OURS = makeKey("relay.test");
const FAST = makeKey("fast.test", "ed25519");
const RECORDS = recordsOf([LIST.key, OURS.key, FAST.key]);
const TXT = dnsOf(RECORDS);

/** A message that dkimpy sealed so often. */
async function sealedByDkimPy(hops: number, message = sampleMessage()): Promise<Uint8Array> {
  for (let hop = 0; hop < hops; hop++) {
    message = await sealWithDkimPy(message, {
      ...{ domain: "list.test", selector: "s1", key: LIST.pem },
      ...{ server: `hop${hop}.list.test`, cv: hop === 0 ? "none" : "pass" },
    });
  }
  return message;
}

async function sealedByUs(hops: number, message = sampleMessage()): Promise<Uint8Array> {
  for (let hop = 0; hop < hops; hop++) message = await seal(message, { key: FAST.key, txt: TXT });
  return message;
}

for (const hops of [0, 1, 2, 3]) {
  Deno.test({
    name: `a seal of ours on ${hops} of dkimpy's is good to both (needs python3-dkim)`,
    ignore: !haveDkimPy,
    async fn() {
      const received = await sealedByDkimPy(hops);
      const { chain } = await verify(received, { txt: TXT });
      assertEquals([chain.status, chain.reason], [hops === 0 ? "none" : "pass", ""]);
      const sealed = await seal(received, { key: OURS.key, txt: TXT });
      const [status, instances, reason] = await verifyArcWithDkimPy(sealed, RECORDS);
      assertEquals([status, instances.length, reason], ["pass", hops + 1, "success"]);
      assertEquals((await verify(sealed, { txt: TXT })).chain.status, "pass");
    },
  });
}

Deno.test({
  name: "seals of ours by RSA, one on the other, are good to dkimpy (needs python3-dkim)",
  ignore: !haveDkimPy,
  async fn() {
    let message = messageOfSize(100_000);
    for (let hop = 0; hop < 3; hop++) message = await seal(message, { key: OURS.key, txt: TXT });
    assertEquals((await verifyArcWithDkimPy(message, RECORDS)).slice(0, 2), ["pass", [3, 2, 1]]);
  },
});

Deno.test("a set of ours has the three fields of RFC 8617 on top, and says what was found", async () => {
  const sealed = await seal(sampleMessage(), {
    ...{ key: OURS.key, txt: TXT },
    facts: {
      others: () =>
        Promise.resolve([{
          ...{ method: "auth", result: "pass", reason: "" },
          properties: [["smtp.auth", 'o"ne;two']],
        }]),
    },
  });
  const text = decodeText(sealed);
  const names = text.split("\r\n").filter((line) => /^ARC-/.test(line)).map((line) =>
    line.slice(0, line.indexOf(":"))
  );
  assertEquals(names, ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"]);
  assertStringIncludes(text, "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=relay.test; s=s1; t=");
  assertStringIncludes(text, "ARC-Authentication-Results: i=1; mx.relay.test;\r\n\tdkim=none;");
  assertStringIncludes(text, '\tauth=pass smtp.auth="o\\"ne;two";\r\n');
  assertStringIncludes(text, "\tarc=none smtp.remote-ip=192.0.2.1\r\n");
});

/** What can be wrong with a chain of two sets, and the reason that is given. */
const FAULTS: readonly [string, (text: string) => string, RegExp][] = [
  ["the body was changed", (text) => text.replace("Hello", "Hellp"), /^signature 2: body hash/],
  [
    "a signed field was changed",
    (text) => text.replace("Subject: s", "Subject: S"),
    /^signature 2/,
  ],
  ["a Subject was added", (text) => `Subject: evil\r\n${text}`, /^signature 2/],
  [
    "older results were changed",
    (text) => text.replace("i=1; mx", "i=1; MX"),
    /^seal 2: signature/,
  ],
  ["a seal is missing", (text) => without(text, /ARC-Seal: i=1;/), /^set 1 is not complete/],
  ["a set is missing", (text) => without(text, /ARC-[\w-]+: i=1;/), /^set 1 is not complete/],
  ["a field is there twice", (text) => text.replace(/^/, field(text, /ARC-Seal: i=2;/)), /^set 2/],
  ["there is a gap", (text) => text.replaceAll(/(ARC-[\w-]+: )i=2;/g, "$1i=3;"), /^set 2 is not/],
  ["an instance is no number", (text) => text.replace("i=2; a=", "i=two; a="), /^bad instance/],
  ["an instance is 0", (text) => text.replaceAll("i=1;", "i=0;"), /^bad instance/],
  ["an instance is 51", (text) => text.replaceAll("i=2;", "i=51;"), /^bad instance/],
  [
    "a first seal says pass",
    (text) => text.replace("cv=none", "cv=pass"),
    /^seal 1 has the wrong cv/,
  ],
  [
    "a later seal says none",
    (text) => text.replace("cv=pass", "cv=none"),
    /^seal 2 has the wrong cv/,
  ],
  ["a seal has h=", (text) => text.replace("cv=pass;", "cv=pass; h=from;"), /^seal 2 has h=/],
  [
    "a seal's algorithm is unknown",
    (text) => text.replace("a=ed25519-sha256; cv=pass", "a=x; cv=pass"),
    /^seal 2: algorithm x/,
  ],
  [
    "a seal is of nobody",
    (text) => text.replace("cv=pass; d=fast.test", "cv=pass; d=x.test"),
    /^seal 2: no key/,
  ],
  ["the newest says it failed", (text) => text.replace("cv=pass", "cv=fail"), /^sealed as failed/],
];

for (const [name, change, reason] of FAULTS) {
  Deno.test(`a chain fails when ${name}`, async () => {
    const changed = change(decodeText(await sealedByUs(2)));
    const { chain } = await verify(encodeText(changed), { txt: TXT });
    assertEquals(chain.status, "fail");
    assertMatch(chain.reason, reason);
    assertEquals(chain.sets, []);
  });
}

Deno.test({
  name: "a hop may change a message before it seals it (needs python3-dkim)",
  ignore: !haveDkimPy,
  async fn() {
    const changed = decodeText(await sealedByUs(1)).replace("Hello", "Hello from the list");
    assertEquals((await verify(encodeText(changed), { txt: TXT })).chain.status, "fail");
    const sealed = await sealWithDkimPy(encodeText(changed), {
      ...{ domain: "list.test", selector: "s1", key: LIST.pem, server: "list.test", cv: "pass" },
    });
    assertEquals((await verify(sealed, { txt: TXT })).chain.status, "pass");
  },
});

Deno.test("a DNS that does not answer breaks a chain for good", async () => {
  const txt: TxtLookup = () => Promise.resolve({ kind: "temporary", reason: "timeout" });
  const { chain } = await verify(await sealedByUs(1), { txt });
  assertEquals(chain.status, "fail");
  assertEquals(chain.reason, "signature 1: no answer from the DNS");
});

Deno.test({
  name:
    "a broken chain is sealed as failed, alone, and nobody goes on with it (needs python3-dkim)",
  ignore: !haveDkimPy,
  async fn() {
    const text = decodeText(await sealedByDkimPy(2)).replace("Hello", "Hellp");
    const sealed = await seal(encodeText(text), { key: OURS.key, txt: TXT });
    assertMatch(decodeText(sealed), /^ARC-Seal: i=3; a=rsa-sha256; cv=fail;/);
    assertStringIncludes(decodeText(sealed), `arc=fail reason="signature 2: body hash`);
    const [status, , reason] = await verifyArcWithDkimPy(sealed, RECORDS);
    assertEquals([status, reason], [null, "ARC-Seal[3] reported failure, the chain is terminated"]);
    assertEquals(await seal(sealed, { key: OURS.key, txt: TXT }), sealed);
  },
});

Deno.test("there are fifty sets at most", async () => {
  const message = await sealedByUs(50);
  const { chain } = await verify(message, { txt: TXT });
  assertEquals([chain.status, chain.nextInstance, chain.sets.length], ["pass", null, 50]);
  assertEquals(await seal(message, { key: FAST.key, txt: TXT }), message);
});

Deno.test("a chain is the same however the message is cut", async () => {
  const random = seededRandom(8617);
  const message = await sealedByUs(2, messageOfSize(3000));
  for (let round = 0; round < 50; round++) {
    const cuts = Array.from({ length: 5 }, () => Math.floor(random.float() * message.length))
      .sort((a, b) => a - b);
    assertEquals((await verify(message, { txt: TXT, cuts })).chain.status, "pass");
  }
});

Deno.test("whatever a stranger writes into a set, the chain has a status and can be sealed", async () => {
  const random = seededRandom(8617);
  const pick = (count: number): number => Math.floor(random.float() * count);
  const text = decodeText(await sealedByUs(3));
  const end = text.indexOf("From:");
  const statuses = new Set<string>();
  for (let round = 0; round < 300; round++) {
    const at = pick(end);
    const other = ["", "=", ";", "i=1;", "\r\n", "\0", " ", "AAAA"][pick(8)] ?? "";
    const changed = encodeText(text.slice(0, at) + other + text.slice(at + pick(3)));
    statuses.add((await verify(changed, { txt: TXT })).chain.status);
    await seal(changed, { key: FAST.key, txt: TXT });
  }
  assertEquals([...statuses].sort(), ["fail", "pass"]);
});

/** The first field that begins like this, with its line break. */
function field(text: string, start: RegExp): string {
  const at = text.search(start);
  const [whole = ""] = /^.*\r\n(?:[ \t].*\r\n)*/.exec(text.slice(at)) ?? [];
  return whole;
}

/** The text without all fields that begin like this. */
function without(text: string, start: RegExp): string {
  while (start.test(text)) text = text.replace(field(text, start), "");
  return text;
}
