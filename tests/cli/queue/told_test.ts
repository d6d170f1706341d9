import { assertEquals } from "@std/assert";
import { testQueue } from "./queue_setup.ts";

const LETTER = "From: a@x.example\r\nTo: b@y.example\r\nSubject: hi\r\n\r\nText\r\n";

Deno.test("what is held at the command line is in the outbox, where somebody is to be told", async () => {
  await using queue = await testQueue();
  await Deno.writeTextFile(`${queue.folder}/letter.eml`, LETTER);
  const imported = await queue.run(["import", `${queue.folder}/letter.eml`, "--to-header"]);
  assertEquals(imported.code, 0);
  const toldOf = () => queue.open((store) => store.outbox.read({ after: 0, limit: 10 }));
  assertEquals((await queue.run(["hold", "--all"])).code, 0);
  assertEquals(await toldOf(), []);
  assertEquals((await queue.run(["release", "--all"])).code, 0);
  const webhooks = `[[webhooks]]\nname = "crm"\nurl = "http://127.0.0.1:9/in"\n`;
  const world = { files: { "posthouse.toml": webhooks } };
  assertEquals((await queue.run(["hold", "--all"], world)).code, 0);
  const told = await toldOf();
  assertEquals(told.map(({ type }) => type), ["held"]);
  const { by, message } = JSON.parse(told[0]?.body ?? "");
  assertEquals([by, message.subject], ["command line", "hi"]);
});
