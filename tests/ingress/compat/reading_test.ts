import { assertEquals, assertThrows } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import {
  readMailbox,
  readMailboxes,
  readRawEnvelope,
  RequestError,
} from "../../../src/ingress/compat/reading.ts";

Deno.test("compat reading: mailboxes with and without names, groups taken apart", () => {
  assertEquals(readMailboxes("to", `Ada <a@x.test>, "B, b" <b@x.test>, c@x.test`), [
    { name: "Ada", address: "a@x.test" },
    { name: "B, b", address: "b@x.test" },
    { name: "", address: "c@x.test" },
  ]);
  assertEquals(readMailboxes("to", "Team: a@x.test, b@x.test;").length, 2);
  assertEquals(readMailboxes("to", " "), []);
});

Deno.test("compat reading: what is no mailbox is refused", () => {
  for (const text of ["ada", "ada@", "@x.test", "a@x.test, nobody"]) {
    assertThrows(() => readMailboxes("to", text), RequestError);
  }
  assertThrows(() => readMailbox("from", "a@x.test, b@x.test"), RequestError);
});

Deno.test("compat reading: a raw message names its recipients, and shows no Bcc", () => {
  const text = "From: Ada <a@x.test>\r\nBcc: hidden@x.test,\r\n also@x.test\r\n" +
    "To: b@x.test\r\nCc: c@x.test\r\nSubject: s\r\nBCC: last@x.test\r\n\r\nBcc: body\r\n";
  const { from, to, octets } = readRawEnvelope(encodeText(text));
  assertEquals(from, "a@x.test");
  assertEquals(to, ["b@x.test", "c@x.test", "hidden@x.test", "also@x.test", "last@x.test"]);
  assertEquals(
    decodeText(octets),
    "From: Ada <a@x.test>\r\nTo: b@x.test\r\nCc: c@x.test\r\nSubject: s\r\n\r\nBcc: body\r\n",
  );
});
