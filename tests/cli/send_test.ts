import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startDestination } from "../../src/cli/demo/destination.ts";
import { freePort } from "../support/peers.ts";
import { run } from "./support.ts";

const LETTER = "Subject: hello\n\nline one\r\nline two\n.leading dot";

Deno.test("send prints the dialogue and exits with 0 when the message was accepted", async () => {
  await using destination = await startDestination();
  const { code, out, err } = await run([
    ...["send", "--server", `127.0.0.1:${destination.port}`, "--from", "me@example.org"],
    ...["--to", "a@customer.example", "--to", "b@customer.example", "letter.eml"],
  ], { files: { "letter.eml": LETTER } });
  assertEquals([code, err], [0, "Accepted for 2 recipients.\n"]);
  const lines = out.split("\n");
  assertMatch(lines[0] ?? "", /^S: 220 /);
  assertEquals(lines.filter((line) => line.startsWith("C:")), [
    "C: EHLO relay.example.net",
    "C: MAIL FROM:<me@example.org> SIZE=52",
    "C: RCPT TO:<a@customer.example>",
    "C: RCPT TO:<b@customer.example>",
    "C: BDAT 52 LAST",
    "C: (52 octets of message)",
    "C: QUIT",
  ]);
  assertEquals(destination.taken(), { messages: 1, sizeBytes: 52 });
});

Deno.test("send exits with 1 when a recipient is refused", async () => {
  await using destination = await startDestination();
  const { code, out, err } = await run([
    ...["send", "--server", `127.0.0.1:${destination.port}`, "--quiet", "--generate"],
    ...["--to", "a@customer.example", "--to", "unknown-b@customer.example"],
  ]);
  assertEquals([code, out], [1, ""]);
  assertEquals(
    err,
    "Accepted for 1 recipient.\n" +
      "Refused for unknown-b@customer.example: 550 5.1.1 No such mailbox here\n",
  );
});

Deno.test("send --json tells replies and dialogue", async () => {
  await using destination = await startDestination();
  const { code, out } = await run([
    ...["send", "--server", `127.0.0.1:${destination.port}`, "--json", "--generate"],
    ...["--from", "<>", "--to", "a@slow.example", "--size", "2000", "--subject", "Grüße"],
  ]);
  assertEquals(code, 1);
  const { accepted, refused, dialogue } = JSON.parse(out);
  assertEquals(accepted, []);
  assertEquals(refused, [{
    recipient: "a@slow.example",
    reply: "451 4.7.1 Greylisted, try again in a second",
  }]);
  assertMatch(dialogue.join("\n"), /^C: MAIL FROM:<> SIZE=2\d\d\d$/m);
});

Deno.test("send reads standard input", async () => {
  await using destination = await startDestination();
  const { code } = await run([
    ...["send", "--server", `127.0.0.1:${destination.port}`, "-q", "--to", "a@b.example", "-"],
  ], { stdin: LETTER });
  assertEquals(code, 0);
  assertEquals(destination.taken().sizeBytes, 52);
});

Deno.test("send tells why there was no session", async () => {
  const port = freePort();
  const { code, err } = await run(["send", "-g", "--to", "a@b.example", "-s", `127.0.0.1:${port}`]);
  assertEquals(code, 1);
  assertStringIncludes(err, `Not sent: 127.0.0.1 port ${port}: `);
});

Deno.test("send tells that the file cannot be read", async () => {
  const { code, err } = await run(["send", "--to", "a@b.example", "missing.eml"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "Cannot read the message: ");
});

const WRONG: readonly (readonly [readonly string[], string])[] = [
  [["-g"], "Name at least one recipient with --to."],
  [["-g", "--to", "not an address"], `Not a mail address: "not an address".`],
  [["-g", "--to", "a@b.example", "--from", "x"], `Not a mail address: "x".`],
  [
    ["-g", "--to", "a@b.example", "--server", "a:b:c"],
    "--server needs a host and port, got a:b:c.",
  ],
  [["--to", "a@b.example", "one", "two"], "Expected one file, got several."],
];

for (const [args, reason] of WRONG) {
  Deno.test(`send ${args.join(" ")} is refused`, async () => {
    const { code, out, err } = await run(["send", ...args]);
    assertEquals([code, out], [2, ""]);
    assertEquals(err, `${reason}\nSee posthouse send --help.\n`);
  });
}
