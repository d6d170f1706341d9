import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { openSqliteStore } from "../../src/queue/sqlite/store.ts";
import type { MessageListItem, NewMessage } from "../../src/queue/store.ts";
import { tempFolder } from "../support/peers.ts";
import { run, type World } from "./support.ts";

const HOUR_MS = 3_600_000;
const IDS = ["1M84EQRXE3K2ZW60", "1M84EQRXE3K2ZW61", "1M84EQRXE3K2ZW62"] as const;

function newMessage(
  id: string,
  { to, ageMs, state = "queued" }: {
    to: readonly string[];
    ageMs: number;
    state?: "queued" | "held";
  },
): NewMessage {
  const bytes = encodeText("Subject: hello\r\n\r\nhello\r\n");
  const receivedAtMs = Date.now() - ageMs;
  return {
    id,
    receivedAtMs,
    reversePath: "me@example.org",
    body: "7BIT",
    smtpUtf8: false,
    origin: {
      listener: "smtp",
      clientAddress: "192.0.2.1",
      clientPort: 40000,
      helo: "client.example",
      protocol: "ESMTP",
    },
    facts: {
      sizeBytes: bytes.length,
      eightBit: false,
      dotLines: 0,
      longestLineBytes: 14,
      lineOriented: true,
    },
    summary: { subject: "hel\x1b[31mlo", from: "me@example.org", messageId: "<a@b>" },
    expiresAtMs: receivedAtMs + 96 * HOUR_MS,
    place: { kind: "inline", bytes },
    recipients: to.map((forwardPath) => ({
      forwardPath,
      domain: forwardPath.split("@")[1] ?? "",
      state,
      nextAttemptAtMs: Date.now() + HOUR_MS,
    })),
  };
}

/** A queue of three messages that no relay works on, and commands on it. */
async function withQueue(
  use: (queue: (args: readonly string[], world?: World) => ReturnType<typeof run>) => Promise<void>,
): Promise<void> {
  await using folder = await tempFolder();
  {
    await using store = await openSqliteStore({ folder: folder.path });
    await store.put(newMessage(IDS[0], { to: ["a@one.example"], ageMs: 3 * HOUR_MS }));
    await store.put(newMessage(IDS[1], { to: ["b@one.example", "c@two.example"], ageMs: HOUR_MS }));
    await store.put(newMessage(IDS[2], { to: ["d@two.example"], ageMs: 0, state: "held" }));
  }
  await use((args, world) => run(["queue", ...args, "--data-dir", folder.path], world));
}

Deno.test("queue list shows what waits, newest first", async () => {
  await withQueue(async (queue) => {
    const { code, out, err } = await queue(["list"]);
    assertEquals([code, err], [0, ""]);
    const [header, ...rows] = out.trimEnd().split("\n");
    assertMatch(header ?? "", /^ID +AGE +SIZE +FROM +TO +STATE +NEXT +LAST REPLY$/);
    assertEquals(rows.map((row) => row.split(" ")[0]), [IDS[2], IDS[1], IDS[0], "3"]);
    assertMatch(rows[0] ?? "", / d@two\.example +held +-/);
    assertMatch(rows[1] ?? "", / 1h +25 B +me@example\.org +b@one\.example \+1 +2 queued +in \d+m/);
  });
});

Deno.test("queue list takes filters and limits", async () => {
  await withQueue(async (queue) => {
    const idsOf = async (...args: string[]): Promise<string[]> => {
      const { items } = JSON.parse((await queue(["list", "--json", ...args])).out);
      return items.map(({ message }: { message: { id: string } }) => message.id);
    };
    assertEquals(await idsOf("--domain", "TWO.example"), [IDS[2], IDS[1]]);
    assertEquals(await idsOf("--recipient", "A@one.example"), [IDS[0]]);
    assertEquals(await idsOf("--sender", "<>"), []);
    assertEquals(await idsOf("--older-than", "2h"), [IDS[0]]);
    assertEquals(await idsOf("--newer-than", "30m"), [IDS[2]]);
    assertEquals(await idsOf("--state", "held", "--state", "failed"), [IDS[2]]);
    assertEquals(await idsOf(IDS[1].toLowerCase()), [IDS[1]]);
    assertEquals(await idsOf("--domain", "example", "--subdomains", "--newer-than", "2h"), [
      ...[IDS[2], IDS[1]],
    ]);
    assertEquals(await idsOf("--listener", "other"), []);
    assertEquals(await idsOf("--larger-than", "1KiB"), []);
    assertEquals((await idsOf("--smaller-than", "1KiB", "--text", "HEL")).length, 3);
    assertEquals(await idsOf("--attempts", "1"), []);
    assertEquals(await idsOf("--reply", "451"), []);
    assertEquals((await queue(["list", "--reply", "Greylisted"])).code, 2);
    assertEquals((await queue(["list", "--subdomains"])).code, 2);
    assertEquals((await queue(["list", "--larger-than", "much"])).code, 2);
    const upward = JSON.parse((await queue(["list", "--all", "--json", "--order", "oldest"])).out);
    const times = upward.items.map((item: MessageListItem) => item.message.receivedAtMs);
    assertEquals(times, times.toSorted());
    assertEquals((await queue(["list", "--order", "sideways"])).code, 2);
    const page = JSON.parse((await queue(["list", "--json", "--limit", "2"])).out);
    assertEquals([page.total, page.items.length], [3, 2]);
    assertEquals(await idsOf("--cursor", page.cursor), [IDS[0]]);
    const short = await queue(["list", "--limit", "1"]);
    assertStringIncludes(short.out, "3 messages, 1 shown; use --limit or a filter for more");
  });
});

Deno.test("queue list on a terminal fits and cannot be moved by strangers", async () => {
  await withQueue(async (queue) => {
    for (const columns of [100, 80, 60, 50]) {
      const world: World = { terminals: ["stdout"], env: { NO_COLOR: "1" }, columns };
      const { out } = await queue(["list"], world);
      for (const line of out.split("\n")) assert(line.length <= columns, line);
      assertMatch(out, /^ID .*TO .*STATE/);
    }
    const shown = await queue(["show", IDS[0]]);
    assertStringIncludes(shown.out, "hel [31mlo");
  });
});

Deno.test("queue show tells everything about one message", async () => {
  await withQueue(async (queue) => {
    const { code, out } = await queue(["show", IDS[1]]);
    assertEquals(code, 0);
    assertMatch(out, /^Message +1M84EQRXE3K2ZW61$/m);
    assertMatch(out, /^Received .* on smtp from 192\.0\.2\.1, ESMTP$/m);
    assertMatch(out, /^1 +c@two\.example +queued +0 +in 59m/m);
    const { message, recipients } = JSON.parse((await queue(["show", IDS[1], "--json"])).out);
    assertEquals([message.id, recipients.length], [IDS[1], 2]);
  });
});

Deno.test("queue show of nothing fails", async () => {
  await withQueue(async (queue) => {
    assertEquals(await queue(["show", "1M84EQRXE3K2ZW99"]), {
      code: 1,
      out: "",
      err: "There is no message 1M84EQRXE3K2ZW99.\n",
    });
    assertEquals((await queue(["show"])).code, 2);
    assertEquals((await queue(["show", "xyz"])).err, `Not a queue id: "xyz".\n`);
  });
});

Deno.test("hold, release, retry and cancel change messages", async () => {
  await withQueue(async (queue) => {
    assertEquals((await queue(["hold", IDS[0]])).out, "Held 1 message.\n");
    assertEquals((await queue(["release", "--all"])).out, "Released 2 messages.\n");
    assertEquals((await queue(["retry", "--domain", "two.example"])).out, "Retried 2 messages.\n");
    const cancelled = await queue(["cancel", "--older-than", "30m", "--json"]);
    assertEquals(JSON.parse(cancelled.out), { command: "cancel", matching: 2, changed: 2 });
    const { out } = await queue(["show", IDS[0]]);
    assertMatch(out, /a@one\.example +cancelled/);
    for (const step of ["held", "released", "cancelled"]) {
      assertMatch(out, new RegExp(`Z +${step} +0 +by command line$`, "m"));
    }
    assertEquals((await queue(["list", "--all"])).out.trimEnd().split("\n").at(-1), "3 messages");
  });
});

Deno.test("bounce gives up what a relay then notifies of, delete forgets", async () => {
  await withQueue(async (queue) => {
    assertEquals((await queue(["bounce", IDS[0]])).out, "Bounced 1 message.\n");
    assertEquals((await queue(["cancel", IDS[1]])).code, 0);
    const deleted = await queue(["delete", "--domain", "one.example"]);
    assertEquals(deleted.out, "Deleted 2 messages.\n");
    assertEquals((await queue(["show", IDS[1]])).code, 1);
    assertEquals((await queue(["list", "--all"])).out.trimEnd().split("\n").at(-1), "1 message");
  });
});

Deno.test("queue export writes messages and their envelopes", async () => {
  await using folder = await tempFolder();
  const to = `${folder.path}/out`;
  await withQueue(async (queue) => {
    assertEquals((await queue(["cancel", IDS[0]])).code, 0);
    const { code, out } = await queue(["export", "--to", to]);
    assertEquals([code, out], [0, `Exported 2 messages to ${to}.\n`]);
    const names = [...Deno.readDirSync(to)].map(({ name }) => name).sort();
    assertEquals(names, [IDS[1], IDS[2]].flatMap((id) => [`${id}.eml`, `${id}.json`]));
    const text = await Deno.readTextFile(`${to}/${IDS[1]}.eml`);
    assertEquals(text, "Subject: hello\r\n\r\nhello\r\n");
    const envelope = JSON.parse(await Deno.readTextFile(`${to}/${IDS[1]}.json`));
    assertEquals(envelope.reversePath, "me@example.org");
    assertEquals(envelope.recipients.length, 2);
    const gone = await queue(["export", IDS[0], "--to", to, "--json"]);
    assertEquals([gone.code, JSON.parse(gone.out).skipped], [1, 1]);
    assertEquals((await queue(["export"])).code, 2);
  });
});

Deno.test("a command that changes needs to be told what", async () => {
  await withQueue(async (queue) => {
    const { code, err } = await queue(["cancel"]);
    assertEquals(code, 2);
    assertStringIncludes(err, "Select messages by id or by a filter, or use --all.\n");
    assertEquals((await queue(["hold", "nonsense"])).code, 2);
  });
});

Deno.test("an id that means nothing fails, a filter that fits nothing does not", async () => {
  await withQueue(async (queue) => {
    assertEquals((await queue(["hold", "1M84EQRXE3K2ZW99"])).code, 1);
    const none = await queue(["hold", "--domain", "three.example"]);
    assertEquals([none.code, none.out], [0, "Held 0 messages.\n"]);
  });
});

Deno.test("at a terminal several messages are changed after a question", async () => {
  await withQueue(async (queue) => {
    const args = ["cancel", "--all"];
    const no = await queue(args, { terminals: ["stdin"], stdin: "\n" });
    assertEquals(no, { code: 1, out: "", err: "Cancel 3 messages? [y/N] Nothing was changed.\n" });
    const yes = await queue(args, { terminals: ["stdin"], stdin: "y\n" });
    assertEquals([yes.code, yes.out], [0, "Cancelled 3 messages.\n"]);
  });
});

Deno.test("--yes asks nothing", async () => {
  await withQueue(async (queue) => {
    const { out, err } = await queue(["cancel", "--all", "--yes"], { terminals: ["stdin"] });
    assertEquals([out, err], ["Cancelled 3 messages.\n", ""]);
  });
});

Deno.test("without a queue there is nothing to do, and nothing is made", async () => {
  await using folder = await tempFolder();
  const dataDir = `${folder.path}/data`;
  const { code, err } = await run(["queue", "list", "--data-dir", dataDir]);
  assertEquals([code, err], [1, `There is no queue in ${dataDir} yet.\n`]);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("a queue in memory cannot be reached", async () => {
  const files = { "posthouse.toml": `[queue]\nstore = "memory"\n` };
  const { code, err } = await run(["queue", "list"], { files });
  assertEquals([code, err], [
    1,
    `Cannot open the queue: it is in the memory of the relay (queue.store = "memory").\n`,
  ]);
});

Deno.test("a damaged queue is told in one line", async () => {
  await using folder = await tempFolder();
  await Deno.writeTextFile(`${folder.path}/queue.db`, "this is not a database at all");
  const { code, err } = await run(["queue", "list", "--data-dir", folder.path]);
  assertEquals(code, 1);
  assertMatch(err, /^Cannot open the queue [^\n]+queue\.db: [^\n]+\n$/);
});
