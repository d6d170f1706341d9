import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { readHeader } from "../../src/mail/headers.ts";
import { summarize } from "../../src/mail/summary.ts";

Deno.test("summarize decodes the three fields", () => {
  const message = encodeText(
    "Received: from x\r\n\tby y\r\nFROM: =?utf-8?q?J=C3=B6rg?= <j@b.example>\r\n" +
      "subject: =?iso-8859-1?Q?Gr=FC=DFe_?=\r\n =?UTF-8?B?4oKs?= und mehr\r\n" +
      "Message-Id: <1@b.example>\r\nSubject: second\r\n\r\nSubject: body\r\n",
  );
  assertEquals(summarize(readHeader(message)), {
    subject: "Grüße € und mehr",
    from: "Jörg <j@b.example>",
    messageId: "<1@b.example>",
  });
});

Deno.test("summarize leaves out control characters and marks that turn text around", () => {
  const message = encodeText(
    "Subject: a\u001b[31mred\u0000\u202egnp\u2028x\r\nFrom: =?utf-8?B?YQ0KQmNjOiB4?=\r\n\r\n",
  );
  assertEquals(summarize(readHeader(message)), {
    subject: "a [31mred gnp x",
    from: "a Bcc: x",
    messageId: "",
  });
});

Deno.test("summarize cuts long values and looks at the beginning only", () => {
  const long = summarize(readHeader(encodeText(`Subject: ${"é".repeat(5000)}\r\n\r\n`))).subject;
  assertEquals(long.length, 200);
  assert(long.endsWith("…"));
  const far = encodeText(`X: ${"x".repeat(300_000)}\r\nSubject: late\r\n\r\n`);
  assertEquals(summarize(readHeader(far)).subject, "");
});

Deno.test("summarize takes any octets", () => {
  for (let seed = 0; seed < 200; seed++) {
    const octets = Uint8Array.from({ length: seed }, (_, at) => (at * 31 + seed * 17) % 256);
    assert(summarize(readHeader(octets)).subject.length <= 200);
  }
});
