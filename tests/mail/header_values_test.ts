import { assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { headerValues } from "../../src/mail/header_values.ts";
import { readHeader } from "../../src/mail/headers.ts";
import { originalRecipientOf } from "../../src/mail/xtext.ts";

const MESSAGE = readHeader(encodeText(
  "X-Tenant: acme\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\nx-tenant: two\r\n  words\r\n" +
    "\r\nX-Env: body\r\n",
));

Deno.test("the values of the wanted fields are kept, decoded and unfolded", () => {
  assertEquals(headerValues(MESSAGE, ["x-tenant", "subject", "x-env"]), {
    "x-tenant": ["acme", "two  words"],
    subject: ["café"],
  });
});

Deno.test("nothing is kept when nothing is wanted or there", () => {
  assertEquals(headerValues(MESSAGE, []), null);
  assertEquals(headerValues(MESSAGE, ["x-env"]), null);
});

Deno.test("values are bounded in number and length", () => {
  const many = encodeText(`X-A: ${"v".repeat(5000)}\r\n`.repeat(100) + "\r\n");
  const values = headerValues(readHeader(many), ["x-a"])?.["x-a"] ?? [];
  assertEquals(values.map(({ length }) => length), [200, 200, 200, 200]);
});

Deno.test("a mailbox becomes an ORCPT in ASCII", () => {
  assertEquals(originalRecipientOf("a+b=c@example.net"), "rfc822;a+2Bb+3Dc@example.net");
  assertEquals(originalRecipientOf("jörg@example.net"), "utf-8;j\\x{F6}rg@example.net");
});
