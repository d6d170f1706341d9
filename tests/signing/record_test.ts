import { assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { encodeText } from "../../src/base/bytes.ts";
import { headerSection } from "../../src/mail/headers.ts";
import { authorsOf, domainsIn } from "../../src/signing/author.ts";
import { generateKey, readKey } from "../../src/signing/key.ts";
import { type DkimKey, keysForAuthors, readKeys } from "../../src/signing/keys.ts";
import { parseRecord, recordName, recordValue, zoneLine } from "../../src/signing/record.ts";
import { fieldsToSign, unsignedField, withSignature } from "../../src/signing/signature.ts";
import { SigningStream } from "../../src/signing/stream.ts";

const PLAIN = {
  ...{ type: "rsa", publicKey: "AB", isTest: false, isStrict: false },
  ...{ takesSha256: true, isForMail: true },
};

/** RFC 6376 section 3.6.1. */
const RECORDS: readonly (readonly [string, ReturnType<typeof parseRecord>])[] = [
  ["p=AB", { ...PLAIN, type: "rsa" }],
  ["v=DKIM1; k=ed25519; p=A B", { ...PLAIN, type: "ed25519" }],
  ["v=DKIM1; t=y:s; p=AB", { ...PLAIN, type: "rsa", isTest: true, isStrict: true }],
  ["v=DKIM1; t=s; p=AB", { ...PLAIN, type: "rsa", isStrict: true }],
  ["v=DKIM1; h=sha1:SHA256; p=AB", { ...PLAIN, type: "rsa" }],
  ["v=DKIM1; h=sha1; p=AB", { ...PLAIN, type: "rsa", takesSha256: false }],
  ["v=DKIM1; s=*; p=AB", { ...PLAIN, type: "rsa" }],
  ["v=DKIM1; s=other : Email; p=AB", { ...PLAIN, type: "rsa" }],
  ["v=DKIM1; s=other; p=AB", { ...PLAIN, type: "rsa", isForMail: false }],
  ["v=DKIM1; p=", { ...PLAIN, type: "rsa", publicKey: "" }],
  ["v=DKIM2; p=AB", null],
  ["v=DKIM1; k=dsa; p=AB", null],
  ["v=DKIM1", null],
  ["no tags", null],
];

for (const [text, expected] of RECORDS) {
  Deno.test(`dkim record: ${text}`, () => {
    assertEquals(parseRecord(text), expected);
  });
}

Deno.test("dkim record: its name, its value, and its line in strings of 255", () => {
  assertEquals(recordName({ selector: "s", domain: "a.test" }), "s._domainkey.a.test");
  assertEquals(recordValue({ type: "rsa", publicKey: "AB" }), "v=DKIM1; k=rsa; p=AB");
  assertEquals(zoneLine("n", "x".repeat(256)), `n. IN TXT ( "${"x".repeat(255)}" "x" )`);
  assertEquals(zoneLine("n", "x".repeat(255)), `n. IN TXT ( "${"x".repeat(255)}" )`);
});

Deno.test("dkim key: signs by its own algorithm, which its public key proves", async () => {
  const octets = encodeText("signed");
  for (const type of ["rsa", "ed25519"] as const) {
    const read = readKey(generateKey({ type }));
    if (read.kind !== "ok") throw new Error(read.reason);
    const { key } = read;
    assertEquals([key.type, key.algorithm, key.isShort], [type, `${type}-sha256`, false]);
    const signature = Uint8Array.from(await key.sign(octets));
    const again = Uint8Array.from(await key.sign(octets));
    assertEquals(signature, again);
    const publicKey = Uint8Array.from(Buffer.from(key.publicKey, "base64"));
    const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const [format, params] = type === "rsa"
      ? ["spki", rsa] as const
      : ["raw", { name: "Ed25519" }] as const;
    const imported = await crypto.subtle.importKey(format, publicKey, params, false, ["verify"]);
    // RFC 8463 section 3: Ed25519 signs the hash.
    const signed = type === "rsa"
      ? octets
      : new Uint8Array(await crypto.subtle.digest("SHA-256", octets));
    assertEquals(await crypto.subtle.verify(params, imported, signature, signed), true);
  }
});

Deno.test("dkim key: one of 1,024 bits is short, one of 2,048 is what is made", () => {
  const bits = (pem: string) => {
    const read = readKey(pem);
    return read.kind === "ok" && read.key.isShort;
  };
  assertEquals([
    bits(generateKey({ type: "rsa", bits: 1_024 })),
    bits(generateKey({ type: "rsa" })),
  ], [
    ...[true, false],
  ]);
});

function header(text: string) {
  const bytes = Buffer.from(`${text}\r\n\r\n`);
  return { bytes, fields: headerSection(bytes).fields };
}

Deno.test("dkim author: domains of one From, of one Sender, each once", () => {
  assertEquals(authorsOf(header("From: a@X.test, b@x.test, c@y.test\r\nSender: d@z.test")), {
    ...{ from: ["x.test", "y.test"], sender: ["z.test"] },
  });
  assertEquals(authorsOf(header("From: a@x.test\r\nfrom: b@y.test")).from, []);
  assertEquals(domainsIn("a@[192.0.2.1], nobody, a@x.test"), ["x.test"]);
  const field = (bytes: number) => {
    const rest = ", a@x.test";
    return authorsOf(
      header(`From:${"(".padEnd(bytes - rest.length - 1, "x")})${rest.slice(1)} `.trimEnd()),
    );
  };
  assertEquals(field(8_000).from, ["x.test"]);
  assertEquals(field(9_000).from, []);
});

Deno.test("dkim keys: those of From, else those of Sender, and none without a From", () => {
  const pem = generateKey({ type: "ed25519" });
  const keys: DkimKey[] = readKeys([
    { domain: "x.test", selector: "a", key: pem, from: null },
    { domain: "y.test", selector: "b", key: pem, from: null },
  ]);
  const of = (from: string[], sender: string[]) =>
    keysForAuthors(keys, { from, sender }).map(({ selector }) => selector);
  assertEquals(of(["x.test", "sub.x.test"], ["y.test"]), ["a"]);
  assertEquals(of(["other.test"], ["y.test"]), ["b"]);
  assertEquals(of([], ["y.test"]), []);
  assertEquals(of(["other.test"], []), []);
});

Deno.test("dkim signature: its field is folded at 76, words whole", () => {
  const names = Array.from({ length: 30 }, (_, index) => `field-${index}`);
  const field = unsignedField({
    fieldName: "DKIM-Signature",
    tags: [["v", "1"], ["d", "x".repeat(60)]],
    signed: { names, text: "" },
    bodyHash: "h".repeat(44),
  });
  const whole = withSignature(field, new Uint8Array(256).fill(7));
  for (const line of whole.trimEnd().split("\r\n")) {
    assertEquals(line.length <= 76, true, line);
  }
  const [first, second] = field.split("\r\n");
  assertEquals(first, "DKIM-Signature: v=1;");
  assertEquals(second, `\td=${"x".repeat(60)}; h=field-0:`);
  assertEquals(field.replace(/[\r\n\t ]/g, "").includes(`h=${names.join(":")};bh=`), true);
  assertMatch(whole, /b=(?:\r\n\t)?[A-Za-z0-9+/]/);
  const bare = unsignedField({ fieldName: "A", tags: [["v", "1"]], signed: null, bodyHash: null });
  assertEquals(bare, "A: v=1; b=");
});

Deno.test("dkim signature: what is signed, the last of a name first, and once more where none may be added", () => {
  const { fields } = header("From: a\r\nTo: 1\r\nTo: 2\r\nDate: x\r\nList-Id: l\r\nX-Other: y");
  const signed = fieldsToSign(fields).map(({ name, field }) =>
    field === null ? `${name} -` : `${name} ${field.start}`
  );
  const start = (name: string, nth = 0) =>
    fields.filter((field) => field.name === name)[nth]?.start;
  assertEquals(signed, [
    ...[`from ${start("From")}`, "from -", "reply-to -", "subject -"],
    ...[`to ${start("To", 1)}`, `to ${start("To")}`, "to -", "cc -"],
    ...[`date ${start("Date")}`, "date -", `list-id ${start("List-Id")}`],
  ]);
});

Deno.test("signing stream: the body begins behind the empty line, wherever the pieces are cut", async () => {
  for (
    const text of ["A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore", "A: b\n\nbody\n\nmore", "A: b\r\n\r\n"]
  ) {
    const octets = encodeText(text);
    for (let cut = 0; cut <= octets.length; cut++) {
      let seen = "";
      let names: string[] = [];
      const stream = new SigningStream(({ fields }) => {
        names = fields.map(({ name }) => name);
        return {
          write: (chunk) => void (seen += new TextDecoder().decode(chunk)),
          finish: () => Promise.resolve("prefix"),
        };
      });
      stream.write(octets.subarray(0, cut));
      stream.write(octets.subarray(cut));
      assertEquals(await stream.finish(), "prefix");
      assertEquals(names[0], "A");
      assertEquals(
        seen,
        text.slice(text.search(/\r?\n\r?\n/)).replace(/^\r?\n\r?\n/, ""),
        `${cut}`,
      );
    }
  }
});

Deno.test("signing stream: a header section without end, or of more than 256 KiB, is not signed", async () => {
  const signed = async (text: string) => {
    const stream = new SigningStream(() => ({ write() {}, finish: () => Promise.resolve("x") }));
    for (let at = 0; at < text.length; at += 1000) {
      stream.write(encodeText(text.slice(at, at + 1000)));
    }
    return await stream.finish();
  };
  const section = (bytes: number) => `A: ${"x".repeat(bytes - 7)}\r\n\r\n`;
  assertEquals(await signed(`${section(256 * 1024)}body`), "x");
  assertEquals(await signed(`${section(300 * 1024)}body`), "");
});
