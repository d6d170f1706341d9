/**
 * Bad input at random. Whatever fails is written to `tests/corpus/smtp/`, and every file there is
 * played in each run. `POSTHOUSE_LONG=1` plays 100,000 inputs, `POSTHOUSE_SEED` other ones.
 */
import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../../src/base/random.ts";
import { DialogueSettings } from "./dialogue_settings.ts";
import { Fuzzer, type Input, inputOf } from "./fuzzer.ts";
import { sessionSetup } from "./session_setup.ts";

const CORPUS = new URL("../../corpus/smtp/", import.meta.url);
const DIALOGUES = new URL("../../dialogues/", import.meta.url);
const ROUNDS = Deno.env.has("POSTHOUSE_LONG") ? 100_000 : 5_000;
const SEED = Number(Deno.env.get("POSTHOUSE_SEED") ?? 5321);
const HANG_MS = 10_000;

/** Servers that offer everything, each with another way to TLS and authentication. */
const SERVERS = [
  ["tls offered", "auth always", "queue example.net 3"],
  ["tls required", "auth tls required", "alias team@example.com a@x.example b@example.com"],
  ["client 203.0.113.9", "limit errors 5", "limit recipients 2", "limit messageBytes 50"],
  ["proxy 192.0.2.1", "auth always", "limit sessionBytes 2000"],
  ["tls implicit", "handshake fails"],
  ["sink full"],
];

Deno.test("fuzz: what failed once does not fail again", async () => {
  for (const { name } of Deno.readDirSync(CORPUS)) {
    const octets = await Deno.readFile(new URL(name, CORPUS));
    for (const server of SERVERS) await play({ server, pieces: [octets] });
  }
});

Deno.test(`fuzz: ${ROUNDS} inputs do no harm (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const fuzzer = new Fuzzer(readSeeds(), random);
  for (let round = 0; round < ROUNDS; round++) {
    const octets = fuzzer.next();
    const server = SERVERS[round % SERVERS.length] ?? [];
    try {
      await play({ server, pieces: fuzzer.pieces(octets) });
    } catch (cause) {
      const name = `seed_${SEED}_round_${round}`;
      await Deno.writeFile(new URL(name, CORPUS), octets);
      throw new Error(`input ${name} fails with ${JSON.stringify(server)}`, { cause });
    }
  }
});

function readSeeds(): Input[] {
  const files = [...Deno.readDirSync(DIALOGUES)].map(({ name }) => name)
    .filter((name) => name.endsWith(".txt")).toSorted();
  return files.map((name) => inputOf(Deno.readTextFileSync(new URL(name, DIALOGUES))))
    .filter((input) => input.length > 0);
}

/** Plays one input and looks at everything that must hold, whatever was said. */
async function play(
  { server, pieces }: { server: readonly string[]; pieces: readonly Uint8Array[] },
): Promise<void> {
  const settings = new DialogueSettings(server);
  await using setup = sessionSetup(settings.serverOptions);
  settings.applyTo(setup.sink);
  const { conn, done } = setup.connect(settings.clientAddress, settings.handshake);
  for (const piece of pieces) conn.send(piece);
  conn.leave();
  await within(HANG_MS, done);
  assertReplies(conn.takeOutput());
  assertEquals(setup.events.filter(({ type }) => type === "trouble"), []);
  assertEquals(setup.events.at(-1)?.type, "session_closed");
  assertEquals(setup.server.sessions, 0);
  const { begun, aborted, stored, result } = setup.sink;
  const isStoring = (await result).kind === "stored";
  if (isStoring) assertEquals(begun, aborted + stored.length, "a message was left open");
}

/** RFC 5321 4.2: every line has its code, and the last one of a reply a space behind it. */
function assertReplies(output: string): void {
  const lines = output.split("\r\n");
  assertEquals(lines.pop(), "", "the last line has no end");
  let code: string | null = null;
  for (const line of lines) {
    // deno-lint-ignore no-control-regex
    assert(/^[2-5]\d\d[ -][^\x00-\x1f\x7f]*$/.test(line), `malformed: ${JSON.stringify(line)}`);
    assert(line.length <= 510, `too long: ${line}`); // RFC 5321 4.5.3.1.5
    assert(code === null || line.startsWith(code), `another code within a reply: ${line}`);
    code = line[3] === "-" ? line.slice(0, 3) : null;
  }
  assertEquals(code, null, "the last reply has no end");
}

async function within(limitMs: number, done: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs for ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([done, hang]);
  } finally {
    clearTimeout(timer);
  }
}
