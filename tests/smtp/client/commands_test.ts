/** The commands of a transaction, as they are written. */
import { assertEquals, assertThrows } from "@std/assert";
import { mailCommand, rcptCommand } from "../../../src/smtp/client/commands.ts";

Deno.test("commands: a path in brackets, parameters behind it, CRLF at the end", () => {
  assertEquals(mailCommand("", []), "MAIL FROM:<>\r\n");
  assertEquals(mailCommand("a@x", ["SIZE=1", "RET=HDRS"]), "MAIL FROM:<a@x> SIZE=1 RET=HDRS\r\n");
  assertEquals(rcptCommand("b@y", []), "RCPT TO:<b@y>\r\n");
  assertEquals(rcptCommand("b@y", ["NOTIFY=NEVER"]), "RCPT TO:<b@y> NOTIFY=NEVER\r\n");
});

Deno.test("commands: no line break of any kind gets into one, in paths and parameters", () => {
  for (const end of ["\r", "\n", "\r\n"]) {
    const told = `Cannot write a command: it has a line break`;
    const smuggled = `a@x${end}RSET`;
    assertThrows(() => mailCommand(smuggled, []), RangeError, told);
    assertThrows(() => rcptCommand(smuggled, []), RangeError, told);
    assertThrows(() => mailCommand("a@x", ["SIZE=1", `RET=${end}`]), RangeError, told);
  }
});
