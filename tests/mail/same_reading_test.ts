/** What is checked of a header section is what other programs read in it. */
import { assert, assertEquals } from "@std/assert";
// @ts-types="../support/addressparser.d.ts"
import addressparser from "nodemailer/lib/addressparser/index.js";
import PostalMime from "postal-mime";
import { concatBytes, encodeText } from "../../src/base/bytes.ts";
import { type Random, seededRandom } from "../../src/base/random.ts";
import { parseAddressList } from "../../src/mail/address_list.ts";
import { isInLines, messageInOneForm } from "../../src/mail/header_form.ts";
import { fieldText, findField, readHeader } from "../../src/mail/headers.ts";
import { decideAuthors } from "../../src/policy/authors.ts";
import { havePeer, runPeer } from "../support/peers.ts";

const SEEDS = 1500;
const RULES = { name: "shop", senders: ["*@shop.example"] };
const TRACE = encodeText(
  "Received: from a.example\r\n\tby b.example; Thu, 1 Jan 2026 00:00:00 +0000\r\n",
);

const PIECES: readonly string[] = [
  ...["From: a@shop.example", "From: Ada <a@shop.example>", "from : a@shop.example", "FROM:"],
  ...["From: ceo@relay.example", "From: <a@shop.example> <ceo@relay.example>", "From someone Mon"],
  ...['From: "ceo@relay.example" <a@shop.example>', "From: a@shop.example (ceo@relay.example)"],
  ...["From: =?utf-8?q?ceo=40relay.example=2C?= <a@shop.example>", ">From: ceo@relay.example"],
  ...[
    "From: a@shop.example,\r\n b@shop.example",
    "From:\r\n a@shop.example",
    "From: a@shop.example\r\n\t",
  ],
  ...["From: a@shop.example\r\n , ceo@relay.example", "From: J\xf6rg <a@shop.example>"],
  ...[
    "From: J\xc3\xb6rg <a@shop.example>",
    "From\xa0: ceo@relay.example",
    "From\0: ceo@relay.example",
  ],
  ...["Sender: a@shop.example", "Sender: ceo@relay.example", "Resent-From: ceo@relay.example"],
  ...[
    "Subject: x",
    "Subject: x\r\n y",
    "X-A: \0",
    "X-A: a\rFrom: ceo@relay.example",
    "X: a\nFrom: ceo",
  ],
  ...[" From: ceo@relay.example", "\tb", "   ", "", "no field", ": x", "Dear Sir: x", "X\x7f: x"],
  ...[
    "X-\x80: x",
    "Received: x",
    "To: b@dest.example",
    "X-A:b",
    "X-A :",
    "\u000bFrom: ceo@relay.example",
  ],
  ...["\fFrom: ceo@relay.example", "X-A: \u001c\u0085", "X-A: a\u000bFrom: ceo@relay.example"],
];

/** A header section of pieces that stand in any order, now and then with an octet changed. */
function randomHead(random: Random): Uint8Array {
  const count = 1 + Math.floor(random.float() * 5);
  const lines = Array.from({ length: count }, () => pick(PIECES, random));
  const end = pick(["\r\n\r\n", "\r\n\r\n", "\r\n", "\n\n", ""], random);
  const text = `${lines.join("\r\n")}${end}From: ceo@relay.example\r\n\r\nbody\r\n`;
  const octets = Uint8Array.from(text, (char) => char.charCodeAt(0));
  if (random.float() < 0.4) {
    octets[Math.floor(random.float() * octets.length)] = pick([
      0,
      9,
      10,
      13,
      32,
      34,
      40,
      44,
      58,
      60,
      64,
      92,
      200,
    ], random);
  }
  return octets;
}

function pick<Value>(values: readonly Value[], random: Random): Value {
  return values[Math.floor(random.float() * values.length)] as Value;
}

const READ_HEADS = `
import base64, email, email.policy, email.utils, json, sys
def raw(value):
    return str(value).encode("ascii", "surrogateescape").decode("latin1")
def modern(message):
    try:
        return [a.addr_spec for field in message.get_all("from", []) for a in field.addresses]
    except Exception: # it cannot read all that is malformed
        return None
out = []
for line in sys.stdin:
    octets = base64.b64decode(line)
    old = email.message_from_bytes(octets)
    new = email.message_from_bytes(octets, policy=email.policy.default)
    authors = [str(value) for value in old.get_all("from", [])]
    out.append({
        "fields": [[name, raw(value)] for name, value in old.raw_items()],
        "old": [address for _, address in email.utils.getaddresses(authors)],
        "new": modern(new),
    })
print(json.dumps(out))
`;

interface PythonReading {
  readonly fields: readonly (readonly [string, string])[];
  readonly old: readonly string[];
  readonly new: readonly string[];
}

async function readByPython(messages: readonly Uint8Array[]): Promise<readonly PythonReading[]> {
  const lines = messages.map((message) => `${message.toBase64()}\n`).join("");
  const { stdout, stderr } = await runPeer("python3", {
    args: ["-c", READ_HEADS],
    stdin: encodeText(lines),
  });
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

/** What is stored of a message, as behind the field that the relay adds. */
function storedForms(): Uint8Array[] {
  const random = seededRandom(7);
  const stored: Uint8Array[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const message = messageInOneForm(randomHead(random));
    if (isInLines(readHeader(message).bytes)) stored.push(message);
  }
  return stored;
}

function addressesOf(message: Uint8Array): string[] {
  const header = readHeader(message);
  const field = findField(header, "from");
  const list = field === null ? null : parseAddressList(fieldText(header.bytes, field));
  return list?.kind === "ok" ? list.mailboxes.map(({ mailbox }) => mailbox.text) : [];
}

function latin1(octets: Uint8Array): string {
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}

Deno.test({
  name: "what is checked of a header section is what Python reads (needs python3)",
  ignore: !havePeer("python3"),
  fn: async () => {
    const stored = storedForms();
    const readings = await readByPython(stored.map((message) => concatBytes([TRACE, message])));
    let accepted = 0;
    for (const [index, message] of stored.entries()) {
      const reading = readings[index];
      const { bytes, fields } = readHeader(message);
      const ours = fields.map(({ name, valueStart, valueEnd }) => [
        name,
        latin1(bytes.subarray(valueStart, valueEnd)).replace(/^[ \t]+/, ""),
      ]);
      assertEquals(reading?.fields.slice(1), ours as never, latin1(message));
      if (decideAuthors(RULES, readHeader(message)).kind === "refuse") continue;
      accepted++;
      const addresses = addressesOf(message);
      assert(addresses.every((address) => address.endsWith("@shop.example")), latin1(message));
      assertEquals(reading?.old, addresses, latin1(message));
      assertEquals(reading?.new, addresses, latin1(message));
    }
    assert(accepted > 50, `${accepted}`);
  },
});

Deno.test("what is checked of a header section is what JavaScript libraries read", async () => {
  for (const message of storedForms()) {
    const header = readHeader(message);
    if (decideAuthors(RULES, header).kind === "refuse") continue;
    const addresses = addressesOf(message);
    const { from, sender, headers } = await PostalMime.parse(concatBytes([TRACE, message]));
    const values = headers.filter(({ key }) => key === "from").map(({ value }) => value);
    assertEquals(values.length, 1, latin1(message));
    const [value = ""] = values;
    assertEquals(from?.address, addresses[0], latin1(message));
    assert(sender === undefined || sender.address?.endsWith("@shop.example"), latin1(message));
    const parsed = addressparser(value, { flatten: true }).map(({ address }) => address);
    assertEquals(parsed, addresses, latin1(message));
  }
});
