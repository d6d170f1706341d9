/**
 * SQLite keeps its locks by POSIX rules: a process that opens and closes a database file by any
 * other means loses all of its locks on it (https://www.sqlite.org/howtocorrupt.html, 2.2.1). Then
 * the next program that reads the database from outside takes itself for the last one, and removes
 * the log that the relay goes on writing to.
 */
import { assertEquals } from "@std/assert";
import { havePeer } from "../support/peers.ts";
import { statesOf } from "./conformance/case.ts";
import { StoreFolder } from "./folder.ts";

const SCRIPT = new URL("./children/put_after_questions.ts", import.meta.url).pathname;

/** Stores messages in a process that is killed, with somebody reading from outside in between. */
async function storedAround(read: (path: string) => Promise<void>): Promise<void> {
  await using folder = await StoreFolder.make();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-read", "--allow-write", SCRIPT, folder.path],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  try {
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assertEquals((await lines.read()).value, "ready\n");
    await read(`${folder.path}/queue.db`);
    const writer = child.stdin.getWriter();
    await writer.write(new Uint8Array(1));
    assertEquals((await lines.read()).value, "stored\n");
    await writer.close();
    child.kill("SIGKILL");
    await lines.cancel();
  } finally {
    await child.status;
  }
  await using store = await folder.open();
  const states = await Promise.all([0, 1, 2, 3].map((number) => statesOf(store, number)));
  assertEquals(states, Array.from({ length: 4 }, () => ["queued"]));
}

Deno.test({
  name: "nothing is lost when another program reads the database meanwhile (needs python3)",
  ignore: !havePeer("python3"),
  async fn() {
    await storedAround(async (path) => {
      const code = `import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
print(database.execute("SELECT count(*) FROM messages").fetchone()[0])
database.close()`;
      const { stdout } = await new Deno.Command("python3", { args: ["-c", code, path] }).output();
      assertEquals(new TextDecoder().decode(stdout), "1\n");
    });
  },
});
