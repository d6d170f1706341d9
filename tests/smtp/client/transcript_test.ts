import { assertEquals } from "@std/assert";
import { reply } from "../../../src/mail/reply.ts";
import { Transcript } from "../../../src/smtp/client/transcript.ts";

Deno.test("a dialogue is told line by line in the order of the wire", () => {
  const transcript = new Transcript();
  transcript.note("Connected to mx.example[192.0.2.1]:25");
  transcript.heard({ code: 250, lines: ["mx.example", "PIPELINING", "8BITMIME"] });
  transcript.said("MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n");
  transcript.heard(reply(250, "2.1.0", "Fine"));
  transcript.heard({ code: 550, enhanced: "5.1.1", lines: ["No such", "mailbox"] });
  assertEquals(transcript.lines(), [
    "-- Connected to mx.example[192.0.2.1]:25",
    "S: 250-mx.example",
    "S: 250-PIPELINING",
    "S: 250 8BITMIME",
    "C: MAIL FROM:<a@x.example>",
    "C: RCPT TO:<b@y.example>",
    "C: DATA",
    "S: 250 2.1.0 Fine",
    "S: 550-5.1.1 No such",
    "S: 550 5.1.1 mailbox",
  ]);
});

Deno.test("a dialogue without end keeps its beginning and its end", () => {
  const transcript = new Transcript();
  for (let number = 1; number <= 200; number++) transcript.said(`RCPT TO:<r${number}@x>\r\n`);
  const lines = transcript.lines();
  assertEquals(lines.length, 81);
  assertEquals(lines[0], "C: RCPT TO:<r1@x>");
  assertEquals(lines[60], "-- 120 more left out");
  assertEquals(lines.at(-1), "C: RCPT TO:<r200@x>");
});

Deno.test("a pipelined group and a long line are cut", () => {
  const transcript = new Transcript();
  transcript.said("RCPT TO:<r@x>\r\n".repeat(100));
  transcript.heard(reply(250, null, "x".repeat(10_000)));
  const lines = transcript.lines();
  assertEquals(lines.length, 62);
  assertEquals(lines[60], "-- more commands left out");
  assertEquals(lines[61]?.length, 512);
});
