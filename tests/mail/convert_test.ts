import { assert, assertEquals } from "@std/assert";
import { concatBytes, decodeLatin1, encodeText } from "../../src/base/bytes.ts";
import { type ConversionTarget, planConversion } from "../../src/mail/conversion_plan.ts";
import { convert } from "../../src/mail/convert.ts";
import { havePeer, runPeer, tempFolder } from "../support/peers.ts";

function crlf(text: string): string {
  return text.replaceAll("\n", "\r\n");
}

/** Converts a message that arrives in chunks of that size; the obstacle where it cannot be. */
async function converted(
  message: Uint8Array,
  { target = "7bit", chunkBytes = message.length }: {
    target?: ConversionTarget;
    chunkBytes?: number;
  } = {},
): Promise<Uint8Array | string> {
  const chunks: Uint8Array[] = [];
  for (let from = 0; from < message.length; from += chunkBytes) {
    chunks.push(message.subarray(from, from + chunkBytes));
  }
  const plan = await planConversion(chunks, target);
  if (plan.kind === "impossible") return plan.reason;
  return concatBytes(await Array.fromAsync(convert(chunks, plan)));
}

async function text(message: string, target: ConversionTarget = "7bit"): Promise<string> {
  const result = await converted(encodeText(crlf(message)), { target });
  return typeof result === "string" ? result : decodeLatin1(result).replaceAll("\r\n", "\n");
}

const PLAIN = "Content-Type: text/plain; charset=utf-8\n";

Deno.test("text becomes quoted-printable", async () => {
  const sent = `MIME-Version: 1.0\n${PLAIN}Content-Transfer-Encoding: 8bit\nSubject: x\n\n` +
    `Grüße = a \nplain line\n\n`;
  assertEquals(
    await text(sent),
    `MIME-Version: 1.0\n${PLAIN}Subject: x\nContent-Transfer-Encoding: quoted-printable\n\n` +
      `Gr=C3=BC=C3=9Fe =3D a=20\nplain line\n\n`,
  );
});

Deno.test("text that is mostly not ASCII becomes base64", async () => {
  const result = await text(`MIME-Version: 1.0\n${PLAIN}\n日本語日本語\n`);
  assertEquals(
    result,
    `MIME-Version: 1.0\n${PLAIN}Content-Transfer-Encoding: base64\n\n5pel5pys6Kqe5pel5pys6KqeDQo=\n`,
  );
});

Deno.test("what says nothing of itself is described", async () => {
  const utf8 = await text("Subject: x\n\nGrüße aus der Welt der Zeichen\n");
  assert(utf8.includes("MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"), utf8);
  const latin1 = concatBytes([encodeText("Subject: x\r\n\r\nGr"), Uint8Array.of(0xfc, 13, 10)]);
  const result = await converted(latin1);
  assert(typeof result !== "string");
  assertEquals(
    decodeLatin1(result),
    crlf(
      "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\n" +
        "Content-Transfer-Encoding: quoted-printable\n\nGr=FC\n",
    ),
  );
});

const PARTS = `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"
Content-Transfer-Encoding: 8bit

preamble
--outer
${PLAIN}Content-Transfer-Encoding: 8bit

é and a good deal of ASCII around it
--outer
Content-Type: application/octet-stream
Content-Transfer-Encoding: binary

ünary
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/html

<p>seven bits</p>
--inner--
--outer
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Subject: inside

ç and a good deal of ASCII around it
--outer--
epilogue
`;

Deno.test("parts are converted one by one, and what is around them stays", async () => {
  assertEquals(
    await text(PARTS),
    `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"
Content-Transfer-Encoding: 7bit

preamble
--outer
${PLAIN}Content-Transfer-Encoding: quoted-printable

=C3=A9 and a good deal of ASCII around it
--outer
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

w7xuYXJ5
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/html

<p>seven bits</p>
--inner--
--outer
Content-Type: message/rfc822
Content-Transfer-Encoding: 7bit

Subject: inside
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

=C3=A7 and a good deal of ASCII around it
--outer--
epilogue
`,
  );
});

Deno.test("the result does not depend on how the octets arrive", async () => {
  const message = encodeText(crlf(PARTS));
  const whole = await converted(message);
  for (const chunkBytes of [1, 2, 3, 7, 64]) {
    assertEquals(await converted(message, { chunkBytes }), whole, `chunks of ${chunkBytes}`);
  }
});

Deno.test("for a hop that takes 8 bits in lines only what is no lines is encoded", async () => {
  const result = await text(PARTS.replace("ünary", "ünary\rbare"), "8bit");
  assert(result.includes("\n\u00c3\u00a9 and a good deal"), result); // UTF-8 octet by octet
  assert(result.includes("Content-Transfer-Encoding: base64\n\nw7xuYXJ5DWJhcmU=\n"), result);
  assert(result.startsWith(PARTS.slice(0, 90)), result);
});

const SIGNED = (content: string) =>
  `MIME-Version: 1.0
Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=s

--s
${PLAIN}Content-Transfer-Encoding: 8bit

${content}
--s
Content-Type: application/pgp-signature

-----BEGIN PGP SIGNATURE-----
--s--
`;

const OBSTACLES: readonly [name: string, message: string, result: string][] = [
  ["8 bits that are signed", SIGNED("é"), "sealed"],
  ["8 bits in a part of a message", "Content-Type: message/partial; id=a\n\né\n", "unencodable"],
  ["8 bits in uuencode", "Content-Transfer-Encoding: x-uuencode\n\né\n", "malformed"],
  ["8 bits around parts that are signed", SIGNED("e").replace("\n\n", "\n\né\n"), "sealed"],
  ["too many parts", PARTS.replace("--outer\n", "--outer\n\n\n".repeat(2000)), "too_complex"],
  ["a header section without end", `X: y\n${" é\n".repeat(100_000)}`, "too_complex"],
];
for (const [name, message, result] of OBSTACLES) {
  Deno.test(`${name}: ${result}`, async () => {
    assertEquals(await text(message), result);
  });
}

const MIXED = "MIME-Version: 1.0\nContent-Type: multipart/mixed";
const AS_TEXT = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n" +
  "Content-Transfer-Encoding: quoted-printable\n\n";
const QP = "Content-Transfer-Encoding: quoted-printable\n";

/** What has 8 bits where they do not belong, and what becomes of it. */
const CLEANED: readonly [name: string, message: string, result: string, changed: string[]][] = [
  [
    "a multipart without a boundary",
    `${MIXED}\n\nThe price is 5 € today.\n`,
    `${AS_TEXT}The price is 5 =E2=82=AC today.\n`,
    ["multipart/mixed"],
  ],
  [
    "a multipart whose boundary never comes",
    `${MIXED}; boundary=b\n\n--c\n\nThe price is 5 € today.\n--c--\n`,
    `${AS_TEXT}--c\n\nThe price is 5 =E2=82=AC today.\n--c--\n`,
    ["multipart/mixed"],
  ],
  [
    "such a multipart in another",
    `${MIXED}; boundary=o\n\n--o\nContent-Type: multipart/related; boundary=i\n\n` +
    "The price is 5 € today.\n--o\n\nASCII\n--o--\n",
    `${MIXED}; boundary=o\n\n--o\nContent-Type: text/plain; charset=utf-8\n${QP}\n` +
    "The price is 5 =E2=82=AC today.\n--o\n\nASCII\n--o--\n",
    ["multipart/related"],
  ],
  [
    "text around parts",
    PARTS.replace("preamble", "préamble").replace(/é(?!amble)/g, "e"),
    PARTS.replace("preamble", "pr??amble").replace(/é(?!amble)/g, "e"),
    ["text around parts"],
  ],
  [
    "base64",
    "Content-Transfer-Encoding: base64\n\naé\nGk=\n",
    "Content-Transfer-Encoding: base64\n\na\nGk=\n",
    [],
  ],
  ["quoted-printable", `${QP}\n=41 é ß\n`, `${QP}\n=41 =C3=A9 =C3=9F\n`, []],
  ...["8 bit", "utf-8"].map((encoding) =>
    [
      `what is said to be ${encoding}`,
      `MIME-Version: 1.0\n${PLAIN}Content-Transfer-Encoding: ${encoding}\n\né\n`,
      `MIME-Version: 1.0\n${PLAIN}Content-Transfer-Encoding: base64\n\nw6kNCg==\n`,
      [],
    ] as [string, string, string, string[]]
  ),
];
for (const [name, message, result, changed] of CLEANED) {
  Deno.test(`8 bits in ${name} are brought into seven`, async () => {
    const plan = await planConversion([encodeText(crlf(message))], "7bit");
    assertEquals(plan.kind === "possible" && plan.changed, changed);
    if (name !== "text around parts") assertEquals(await text(message), result);
    else assert((await text(message)).includes("pr??amble"));
    for (const chunkBytes of [1, 7]) {
      const cut = await converted(encodeText(crlf(message)), { chunkBytes });
      assert(typeof cut !== "string");
      assertEquals(decodeLatin1(cut).replaceAll("\r\n", "\n"), await text(message));
    }
  });
}

Deno.test("what is signed and has 7 bits passes as it is", async () => {
  const message = SIGNED("e");
  assertEquals(await text(message), message);
});

Deno.test("a DKIM signature that breaks is told", async () => {
  const message = encodeText(crlf(`DKIM-Signature: v=1\n${PLAIN}\né\n`));
  const plan = await planConversion([message], "7bit");
  assertEquals(plan.kind === "possible" && plan.breaksSignature, true);
});

/** Prints every leaf of a message as JSON: its type and its decoded octets in hexadecimal. */
const PYTHON = `
import email, email.policy, json, sys
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.compat32)
leaves = [p for p in message.walk() if not p.is_multipart()]
def content(part):
    octets = part.get_payload(decode=True)
    return octets.replace(b"\\r\\n", b"\\n") if part.get_content_maintype() == "text" else octets
print(json.dumps([[p.get_content_type(), content(p).hex()] for p in leaves]))
`;

Deno.test({
  name: "another program reads the same content before and after (needs python3)",
  ignore: !havePeer("python3"),
  fn: async () => {
    await using folder = await tempFolder();
    const random = crypto.getRandomValues(new Uint8Array(60_000));
    const lines = Array.from(
      { length: 800 },
      (_, index) => "é ü=\ta few more letters ".repeat(index % 40),
    );
    const message = concatBytes([
      encodeText(crlf(PARTS.slice(0, PARTS.indexOf("--outer--")))),
      encodeText(crlf(`--outer\n${PLAIN}\n${lines.join("\n")}`)),
      encodeText(crlf("\n--outer\nContent-Type: application/octet-stream\n\n")),
      random,
      encodeText(crlf("\n--outer--\n")),
    ]);
    const result = await converted(message, { chunkBytes: 4096 });
    assert(typeof result !== "string", String(result));
    assert(result.every((octet) => octet < 128));
    const longest = Math.max(...decodeLatin1(result).split("\r\n").map(({ length }) => length));
    assertEquals(longest, 76);
    const read = async (octets: Uint8Array, name: string): Promise<unknown> => {
      await Deno.writeFile(`${folder.path}/${name}`, octets);
      const { stdout } = await runPeer("python3", {
        args: ["-c", PYTHON, `${folder.path}/${name}`],
      });
      return JSON.parse(stdout);
    };
    const before = await read(message, "before");
    // Python reads octets of text line by line, so the random ones are compared by themselves.
    const after = await read(result, "after") as [string, string][];
    assertEquals(after.slice(0, -1), (before as [string, string][]).slice(0, -1));
    assertEquals(after.at(-1), ["application/octet-stream", random.toHex()]);
  },
});
