import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { havePeer, runPeer } from "../../support/peers.ts";
import { generateKey } from "../../../src/signing/key.ts";
import { startTestRelay } from "../relay/running_relay.ts";
import { run, start } from "../support.ts";
import { richMessage, testQueue } from "./queue_setup.ts";
import { symbolicLink } from "../../support/symbolic_link.ts";

const ID = "1M84EQRXE3K2ZW60";

const TWO = "From a@one.example Thu Jan  1 00:00:00 2026\n" +
  "Return-Path: <real@one.example>\nX-Original-To: x@dest.example\nStatus: RO\nSubject: first\n\n" +
  ">From the start\n>>From twice\nFrom no separator, as the line before is not blank\n\n" +
  "From nothing like a separator\n\n" +
  "From b@two.example Fri Jan  2 00:00:00 2026\nSubject: second\nEnvelope-To: y@dest.example,\n" +
  " z@dest.example\n\nbye\n\n";

Deno.test("an mbox comes in with its envelopes, unquoted and without what mailboxes add", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/in.mbox`;
  await Deno.writeTextFile(path, TWO);
  const { code, out, err } = await queue.run(["import", path]);
  assertEquals([code, out, err], [0, "Imported 2 messages.\n", ""]);
  const [first, second] = await queue.messages();
  assertEquals(first?.message.reversePath, "real@one.example");
  assertEquals(first?.recipients.map(({ forwardPath }) => forwardPath), ["x@dest.example"]);
  assertEquals(
    first?.text,
    "Subject: first\r\n\r\nFrom the start\r\n>From twice\r\n" +
      "From no separator, as the line before is not blank\r\n\r\nFrom nothing like a separator\r\n",
  );
  assertEquals(first?.timeline.at(-1)?.kind, "imported");
  assertEquals(second?.message.reversePath, "b@two.example");
  assertEquals(second?.recipients.map(({ forwardPath }) => forwardPath), [
    "y@dest.example",
    "z@dest.example",
  ]);
  assertEquals(second?.text, "Subject: second\r\n\r\nbye\r\n");
});

Deno.test("a second import finds nothing new, until it is told to", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/in.mbox`;
  await Deno.writeTextFile(path, TWO);
  await queue.run(["import", path]);
  assertEquals(
    (await queue.run(["import", path])).out,
    "Imported 0 messages; 2 already imported (--again imports them again).\n",
  );
  await Deno.writeTextFile(
    path,
    "From c@d.example Fri Jan  2 00:00:00 2026\nX-Original-To: q@e.f\n\nz\n",
    {
      append: true,
    },
  );
  assertEquals(
    (await queue.run(["import", path])).out,
    "Imported 1 message; 2 already imported (--again imports them again).\n",
  );
  // It is remembered also when the queue has forgotten the message.
  await queue.run(["delete", "--all"]);
  assertEquals(
    (await queue.run(["import", path])).out,
    "Imported 0 messages; 3 already imported (--again imports them again).\n",
  );
  assertEquals((await queue.run(["import", path, "--again"])).out, "Imported 3 messages.\n");
});

Deno.test("the kinds of mbox are told apart", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/in.mbox`;
  const body = ">From one\n>>From two\n\nFrom a@b.c Thu Jan  1 00:00:00 2026\nSubject: not one\n";
  const head = "From a@one.example Thu Jan  1 00:00:00 2026\nX-Original-To: x@y.z\n";
  await Deno.writeTextFile(path, `${head}Content-Length: ${body.length}\n\n${body}\n`);
  const texts = async (format: string): Promise<string[]> => {
    await queue.run(["import", path, "--format", format, "--again", "--to", "x@y.z"]);
    const messages = await queue.messages();
    await queue.run(["delete", "--all"]);
    return messages.map(({ text }) =>
      text.replaceAll("\r\n", "\n").replace(/^[^]*?\n\n?(?=>|F|S)/, "")
    );
  };
  const separator = "\nFrom a@b.c Thu Jan  1 00:00:00 2026\nSubject: not one\n";
  assertEquals(await texts("mbox"), [`From one\n>From two\n${separator}`]);
  assertEquals(await texts("mboxcl"), [`From one\n>>From two\n${separator}`]);
  assertEquals(await texts("mboxcl2"), [body]);
  assertEquals((await texts("mboxo")).length, 2);
});

Deno.test("a Maildir comes in, drafts and trash only when asked for", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/Maildir`;
  for (const name of ["new", "cur", "tmp"]) {
    await Deno.mkdir(`${path}/${name}`, { recursive: true });
  }
  const write = (name: string): Promise<void> =>
    Deno.writeTextFile(
      `${path}/${name}`,
      `Return-Path: <>\nDelivered-To: me@x.example\nSubject: ${name}\n\nhi\n`,
    );
  await write("new/1.a.host");
  await write("cur/2.b.host:2,FS");
  await write("cur/3.c.host:2,DS");
  await write("cur/4.d.host:2,T");
  await write("tmp/5.e.host");
  const { out } = await queue.run(["import", path]);
  assertEquals(out, "Imported 2 messages; 1 skipped: a draft; 1 skipped: trashed.\n");
  const [first] = await queue.messages();
  assertEquals([first?.message.reversePath, first?.recipients[0]?.forwardPath], [
    "",
    "me@x.example",
  ]);
  assertEquals(first?.text, "Subject: new/1.a.host\r\n\r\nhi\r\n");
  await Deno.rename(`${path}/new/1.a.host`, `${path}/cur/1.a.host:2,S`);
  assertStringIncludes(
    (await queue.run(["import", path])).out,
    "2 already imported (--again imports them again)",
  );
  assertStringIncludes((await queue.run(["import", path, "--all"])).out, "Imported 2 messages");
});

Deno.test("what cannot be imported is listed by file, and the rest is imported", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/mail`;
  await Deno.mkdir(path);
  await Deno.writeTextFile(`${path}/a.eml`, "From: a@b.example\nTo: c@d.example\n\nx\n");
  await Deno.writeTextFile(`${path}/b.eml`, "From: nobody\nX-Original-To: c@d.example\n\nx\n");
  await Deno.writeTextFile(`${path}/c.eml`, "");
  await Deno.writeTextFile(
    `${path}/d.eml`,
    "From: a@b.example\nX-Original-To: e@f.example\n\n\0\n",
  );
  await Deno.writeTextFile(
    `${path}/e.eml`,
    "From: a@b.example\nX-Original-To: e@f.example\n\nok\n",
  );
  await Deno.writeTextFile(`${path}/${ID}.json`, "{}");
  const { code, out, err } = await queue.run(["import", path]);
  assertEquals([code, out], [1, "Imported 1 message.\n"]);
  assertMatch(err, /^5 messages not imported:$/m);
  assertMatch(
    err,
    /a\.eml: it has no recipients; name them with --to, or use --to-header$/m,
  );
  assertMatch(err, /b\.eml: it has no sender/);
  assertMatch(err, /c\.eml: it is empty$/m);
  assertMatch(err, /d\.eml: it contains NUL octets/);
  assertMatch(err, /json|envelope is invalid/);
  const again = await queue.run([
    "import",
    path,
    "--to-header",
    "--from",
    "me@x.example",
    "--json",
  ]);
  const result = JSON.parse(again.out);
  assertEquals([result.imported, result.known, result.problems.length], [2, 1, 3]);
});

Deno.test("recipients from the header leave out Bcc, --to and --from win over all", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/a.eml`;
  await Deno.writeTextFile(
    path,
    "From: Me <me@b.example>\nTo: A <a@x.example>, g: b@x.example;\nBcc: secret@x.example\nCc: a@x.example\n\nx\n",
  );
  await queue.run(["import", path, "--to-header"]);
  const wishes = ["--to", "only@y.example", "--from", "<>", "--hold"];
  await queue.run(["import", path, ...wishes, "--again"]);
  const [first, second] = await queue.messages();
  assertEquals(first?.message.reversePath, "me@b.example");
  assertEquals(
    first?.recipients.map(({ forwardPath }) => forwardPath),
    ["a@x.example", "b@x.example", "secret@x.example"],
  );
  assertEquals(first?.text.includes("secret"), false);
  assertEquals(second?.message.reversePath, "");
  assertEquals(second?.recipients.map(({ forwardPath, state }) => [forwardPath, state]), [
    ["only@y.example", "held"],
  ]);
});

Deno.test("an export comes back as it was", async () => {
  await using from = await testQueue();
  await using to = await testQueue();
  const binary = richMessage("1M84EQRXE3K2ZW61", {
    body: "BINARYMIME",
    text: "A: b\r\n\r\n\n\r\0x",
  });
  await from.open(async (store) => {
    await store.put(richMessage(ID));
    await store.put(binary);
  });
  await from.run(["cancel", "--recipient", "b@two.example", "--state", "held"]);
  await from.run(["export", "--to", `${from.folder}/out`]);
  const { code, out, err } = await to.run(["import", `${from.folder}/out`]);
  assertEquals([code, out, err], [0, "Imported 2 messages.\n", ""]);
  const [before, after] = [await from.messages(), await to.messages()];
  for (const [index, { message, recipients, text }] of before.entries()) {
    const { facts, ...rest } = message;
    const { facts: newFacts, ...newRest } = after[index]?.message ?? message;
    assertEquals(newRest, { ...rest, summary: newRest.summary });
    assertEquals(newFacts.sizeBytes, text.length + 6);
    assertEquals(newFacts.lineOriented, facts.lineOriented && message.body !== "BINARYMIME");
    assertEquals(after[index]?.text, text);
    const open = recipients.filter(({ state }) => state === "queued" || state === "held")
      .map((recipient, place) => ({ ...recipient, index: place, lastReply: "" }));
    assertEquals(after[index]?.recipients, open);
  }
  assertEquals(
    (await to.run(["import", `${from.folder}/out`])).out,
    "Imported 0 messages; 2 already imported (--again imports them again).\n",
  );
});

Deno.test("an edited export loses its signature, a fresh one begins anew", async () => {
  await using queue = await testQueue();
  await queue.open((store) => store.put(richMessage(ID)));
  const folder = `${queue.folder}/out`;
  await queue.run(["export", "--to", folder]);
  await Deno.writeTextFile(`${folder}/${ID}.eml`, "Subject: other\n\nedited\n");
  await queue.run(["delete", "--all"]);
  const nowMs = Date.now();
  await queue.run(["import", folder, "--fresh"]);
  const [message] = await queue.messages();
  assertEquals(message?.message.prefix, undefined);
  assertEquals(message?.text, "Subject: other\r\n\r\nedited\r\n");
  assertEquals((message?.message.receivedAtMs ?? 0) >= nowMs, true);
  assertEquals(message?.message.facts.sizeBytes, message?.text.length);
});

Deno.test("a dry run shows what would come and changes nothing", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/in.mbox`;
  await Deno.writeTextFile(path, TWO);
  const missing = await queue.run(["import", path, "--dry-run"]);
  assertEquals([missing.code, [...Deno.readDirSync(queue.folder)].length], [0, 1]);
  assertMatch(missing.out, /^real@one\.example +x@dest\.example +\d+ B +first +/m);
  assertMatch(missing.out, /^b@two\.example +y@dest\.example \+1 +/m);
  assertStringIncludes(missing.out, "Would import 2 messages.\n");
});

Deno.test("imported mail is signed when that is wanted", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/a.eml`;
  const pem = generateKey({ type: "ed25519", bits: 0 });
  await Deno.writeTextFile(`${queue.folder}/key.pem`, pem);
  const config = `${queue.folder}/posthouse.toml`;
  await Deno.writeTextFile(
    config,
    `[[dkim]]\ndomain = "b.example"\nselector = "s1"\nkey = { file = "${queue.folder}/key.pem" }\n`,
  );
  await Deno.writeTextFile(path, "From: me@b.example\nX-Original-To: a@x.example\n\nhi\n");
  const { out, err } = await queue.run(["import", path, "--sign", "--config", config]);
  assertEquals([out, err], ["Imported 1 message.\n", ""]);
  const [message] = await queue.messages();
  assertMatch(message?.message.prefix ?? "", /^DKIM-Signature: .*d=b\.example/);
  const { sizeBytes } = message?.message.facts ?? { sizeBytes: 0 };
  assertEquals(sizeBytes, (message?.message.prefix ?? "").length + (message?.text ?? "").length);
});

Deno.test("what is imported beside a running relay goes out", async () => {
  await using relay = await startTestRelay();
  const path = `${relay.folder}/in.mbox`;
  await Deno.writeTextFile(path, TWO);
  const tail = relay.start(["tail", "--type", "delivered"]);
  const dataDir = `${relay.folder}/data`;
  assertEquals((await run(["queue", "import", path, "--data-dir", dataDir])).code, 0);
  for (const name of ["x", "y", "z"]) await tail.waitForOutput(new RegExp(`${name}@dest.example`));
  tail.signal("SIGINT");
  assertEquals((await tail.finished).code, 0);
});

Deno.test("at a terminal an import asks first", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/in.mbox`;
  await Deno.writeTextFile(path, TWO);
  const no = await queue.run(["import", path], { terminals: ["stdin"], stdin: "\n" });
  assertEquals(no, {
    ...{ code: 1, out: "" },
    err: `Import 2 messages from ${path} (mbox)? [y/N] Nothing was imported.\n`,
  });
  const yes = await queue.run(["import", path], { terminals: ["stdin"], stdin: "y\n" });
  assertEquals(yes.out, "Imported 2 messages.\n");
});

Deno.test("an import that is stopped goes on where it was", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/in.mbox`;
  const one = (number: number): string =>
    `From a@one.example Thu Jan  1 00:00:00 2026\nX-Original-To: x${number}@y.z\n\nhi\n\n`;
  await Deno.writeTextFile(path, Array.from({ length: 300 }, (_, index) => one(index)).join(""));
  const first = start(["queue", "import", path, "--json", "--data-dir", queue.dataDir], {
    terminals: ["stderr"], // whose progress bar tells that it has begun
  });
  await first.waitForErrors(/Importing/);
  first.signal("SIGINT");
  const stopped = await first.finished;
  const { imported, ...rest } = JSON.parse(stopped.out);
  assertEquals([stopped.code, rest.stopped], [1, "a signal stopped it"]);
  assert(imported < 300, `${imported} were imported`);
  const second = JSON.parse((await queue.run(["import", path, "--json"])).out);
  assertEquals([second.imported + imported, second.known], [300, imported]);
  assertEquals((await queue.messages()).length, 300);
});

Deno.test("large messages pass through spool files", async () => {
  await using queue = await testQueue();
  const path = `${queue.folder}/in.mbox`;
  const line = `${"x".repeat(70)}\n`;
  const body = line.repeat(20_000);
  const head = "From a@one.example Thu Jan  1 00:00:00 2026\nX-Original-To: x@y.z\n\n";
  await Deno.writeTextFile(path, `${head}${body}\n${head}small\n`);
  assertEquals((await queue.run(["import", path])).out, "Imported 2 messages.\n");
  const [, second] = await queue.messages();
  const texts = (await queue.messages()).map(({ text }) => text.length).sort();
  assertEquals(texts, [2 + 20_000 * 72, "\r\nsmall\r\n".length].sort());
  assertEquals(second !== undefined, true);
  assertEquals(
    (await queue.run(["import", path])).out,
    "Imported 0 messages; 2 already imported (--again imports them again).\n",
  );
  assertEquals([...Deno.readDirSync(`${queue.dataDir}/spool`)].length, 1);
});

Deno.test("an import needs something that is mail", async () => {
  await using queue = await testQueue();
  assertEquals((await queue.run(["import"])).code, 2);
  assertEquals(
    (await queue.run(["import", `${queue.folder}/none`])).err,
    `${queue.folder}/none does not exist.\n`,
  );
  await Deno.writeTextFile(`${queue.folder}/x.txt`, "hello");
  assertMatch(
    (await queue.run(["import", `${queue.folder}/x.txt`])).err,
    /name its format with --format\.$/m,
  );
  assertEquals((await queue.run(["import", "x", "--to", "nonsense"])).code, 2);
});

const PYTHON = `
import mailbox, sys, email.message
root = sys.argv[1]
def message(n):
    m = mailbox.mboxMessage()
    m.set_from("sender%d@python.example" % n, True)
    m["From"] = "Python <sender%d@python.example>" % n
    m["X-Original-To"] = "to%d@dest.example" % n
    m["Subject"] = "number %d" % n
    m.set_payload("From the first word\\n>From quoted\\n\\nFrom after a blank line\\n\\nend %d\\n" % n)
    return m
box = mailbox.mbox(root + "/py.mbox"); box.lock()
for n in range(50): box.add(message(n))
box.flush(); box.unlock(); box.close()
md = mailbox.Maildir(root + "/PyMaildir", create=True)
for n in range(50): md.add(mailbox.MaildirMessage(message(n)))
`;

Deno.test({
  name: "mailboxes that Python wrote come in whole (needs python3)",
  ignore: !havePeer("python3"),
  async fn() {
    await using queue = await testQueue();
    const made = await runPeer("python3", { args: ["-c", PYTHON, queue.folder] });
    assertEquals([made.code, made.stderr], [0, ""]);
    for (const path of ["py.mbox", "PyMaildir"]) {
      const { out } = await queue.run(["import", `${queue.folder}/${path}`]);
      assertEquals(out, "Imported 50 messages.\n");
      const messages = await queue.messages();
      assertEquals(messages.length, 50);
      const [one] = messages.filter(({ message }) => message.summary.subject === "number 7");
      assertEquals(one?.message.reversePath, "sender7@python.example");
      assertEquals(one?.recipients[0]?.forwardPath, "to7@dest.example");
      assertStringIncludes(one?.text ?? "", "From the first word\r\n");
      assertStringIncludes(one?.text ?? "", "\r\n\r\nFrom after a blank line\r\n\r\nend 7\r\n");
      await queue.run(["delete", "--all"]);
    }
  },
});

Deno.test("links in somebody's mailbox do not bring in the files of others", async () => {
  await using queue = await testQueue();
  const secret = `${queue.folder}/secret`;
  await Deno.writeTextFile(secret, "X-Original-To: x@y.example\nReturn-Path: <a@b.c>\n\nsecret\n");
  for (const folder of ["md/new", "md/cur", "md/tmp", "eml"]) {
    await Deno.mkdir(`${queue.folder}/${folder}`, { recursive: true });
  }
  await symbolicLink(secret, `${queue.folder}/md/new/1.a.b`);
  await symbolicLink(secret, `${queue.folder}/md/cur/2.a.b:2,`);
  await symbolicLink(secret, `${queue.folder}/eml/a.eml`);
  for (const [folder, count] of [["md", 2], ["eml", 1]] as const) {
    const { code, out } = await queue.run(["import", `${queue.folder}/${folder}`, "--all"]);
    const aside = `${count} skipped: a link or not a file`;
    assertEquals([code, out], [0, `Imported 0 messages; ${aside}.\n`]);
  }
  assertEquals(await queue.messages(), []);
  const named = await queue.run(["import", `${queue.folder}/eml/a.eml`]);
  assertEquals(named.out, "Imported 1 message.\n");
});
