import { assertEquals, assertMatch } from "@std/assert";
import { havePeer, runPeer } from "../../support/peers.ts";
import { richMessage, type TestQueue, testQueue } from "./queue_setup.ts";

const ID = "1M84EQRXE3K2ZW60";
const TEXT = "Subject: hello\r\n\r\nFrom here\r\n>From there\r\n\r\nFrom far away\r\n.dot\r\n";
const PAUSED_AT = Date.UTC(2026, 0, 5, 7, 8, 9);

async function filledQueue(): Promise<TestQueue> {
  const queue = await testQueue();
  const large = `Subject: large\r\n\r\n${"From the same line\r\n".repeat(10_000)}`;
  await queue.open(async (store) => {
    await store.put(richMessage(ID, { text: TEXT, receivedAtMs: PAUSED_AT }));
    await store.put(richMessage("1M84EQRXE3K2ZW61", { text: large, reversePath: "" }));
  });
  return queue;
}

/** What Python's mailbox module reads: one line of JSON for each message. */
const PYTHON = `
import mailbox, sys, json
box = mailbox.mbox(sys.argv[2]) if sys.argv[1] == "mbox" else mailbox.Maildir(sys.argv[2])
for m in box:
    print(json.dumps({"from": m.get_from() if sys.argv[1] == "mbox" else "",
      "path": m["Return-Path"], "to": m["Envelope-To"], "subject": m["Subject"], "body": m.get_payload()}))
`;
import { symbolicLink } from "../../support/symbolic_link.ts";

async function readWithPython(format: string, path: string): Promise<Record<string, string>[]> {
  const { code, stdout, stderr } = await runPeer("python3", { args: ["-c", PYTHON, format, path] });
  assertEquals([code, stderr], [0, ""]);
  const read = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  return read.sort((a, b) => a.subject < b.subject ? -1 : 1);
}

Deno.test({
  name: "Python reads an mbox that was exported (needs python3)",
  ignore: !havePeer("python3"),
  async fn() {
    await using queue = await filledQueue();
    const path = `${queue.folder}/out.mbox`;
    const { out } = await queue.run(["export", "--to", path, "--format", "mbox"]);
    assertEquals(out, `Exported 2 messages to ${path}.\n`);
    const [first, second] = await readWithPython("mbox", path);
    assertEquals(first?.["from"], "me@example.org Mon Jan  5 07:08:09 2026");
    assertEquals([first?.["path"], first?.["subject"]], ["<me@example.org>", "hello"]);
    assertMatch(first?.["to"] ?? "", /^a@one\.example,\s+b@two\.example$/);
    assertEquals(
      first?.["body"],
      ">From here\n>>From there\n\n>From far away\n.dot\n",
    );
    assertEquals(second?.["body"], ">From the same line\n".repeat(10_000));
    assertMatch(second?.["from"] ?? "", /^MAILER-DAEMON /);
    const twice = await queue.run(["export", "--to", path, "--format", "mbox"]);
    assertEquals(twice.code, 1);
    assertMatch(twice.err, /^Cannot write to .*; use --append to add to it$/m);
    await queue.run(["export", ID, "--to", path, "--format", "mbox", "--append"]);
    assertEquals((await readWithPython("mbox", path)).length, 3);
    assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  },
});

Deno.test({
  name: "Python reads a Maildir that was exported (needs python3)",
  ignore: !havePeer("python3"),
  async fn() {
    await using queue = await filledQueue();
    const path = `${queue.folder}/Maildir`;
    for (let round = 0; round < 2; round++) {
      await queue.run(["export", "--to", path, "--format", "maildir"]);
      const [first, second, ...more] = await readWithPython("maildir", path);
      assertEquals(more, []);
      assertEquals(first?.["body"], TEXT.replaceAll("\r\n", "\n").replace(/^[^]*?\n\n/, ""));
      assertEquals([second?.["path"], second?.["subject"]], ["<>", "large"]);
    }
  },
});

for (const format of ["mbox", "maildir", "eml", "posthouse"]) {
  Deno.test(`sender, open recipients and octets come back through ${format}`, async () => {
    await using queue = await filledQueue();
    await using other = await testQueue();
    const path = `${queue.folder}/out`;
    await queue.run(["cancel", ID, "--recipient", "b@two.example"]);
    await queue.run(["export", "--to", path, "--format", format]);
    const { out, err } = await other.run(["import", path]);
    assertEquals([out, err], ["Imported 2 messages.\n", ""]);
    const prefix = format === "posthouse" ? "" : "A: b\r\n"; // there it stands in the envelope
    const envelopes = (messages: Awaited<ReturnType<TestQueue["messages"]>>, before: string) =>
      messages.map(({ message: { reversePath }, recipients, text }) => ({
        reversePath,
        open: recipients.filter(({ state }) => /queued|held/.test(state))
          .map(({ forwardPath }) => forwardPath),
        text: before + text,
      })).sort((a, b) => a.text.length - b.text.length);
    assertEquals(
      envelopes(await other.messages(), ""),
      envelopes(await queue.messages(), prefix),
    );
  });
}

Deno.test("an export tells why it cannot write", async () => {
  await using queue = await filledQueue();
  await Deno.writeTextFile(`${queue.folder}/file`, "");
  const { code, err } = await queue.run(["export", "--to", `${queue.folder}/file`]);
  assertEquals(code, 1);
  assertMatch(err, /^Cannot write to .*file: /);
});

Deno.test("an export replaces links and files that others could read, and writes through none", async () => {
  await using queue = await filledQueue();
  const target = `${queue.folder}/of-others`;
  await Deno.writeTextFile(target, "precious\n");
  for (const [format, place] of [["eml", ""], ["posthouse", ""], ["maildir", "tmp/"]] as const) {
    const to = `${queue.folder}/${format}`;
    await Deno.mkdir(`${to}/${place}`, { recursive: true });
    const name = format === "maildir" ? `${PAUSED_AT / 1000}.${ID}.relay.example.net` : `${ID}.eml`;
    await symbolicLink(target, `${to}/${place}${name}`);
    if (format === "posthouse") await Deno.writeTextFile(`${to}/${ID}.json`, "", { mode: 0o666 });
    const { code } = await queue.run(["export", ID, "--to", to, "--format", format]);
    assertEquals([code, await Deno.readTextFile(target)], [0, "precious\n"], format);
    const written = format === "maildir" ? `${to}/new/${name}` : `${to}/${name}`;
    const { isFile, mode } = await Deno.lstat(written);
    assertEquals([isFile, (mode ?? 0) & 0o777], [true, 0o600]);
  }
  const { mode } = await Deno.lstat(`${queue.folder}/posthouse/${ID}.json`);
  assertEquals((mode ?? 0) & 0o777, 0o600);
});
