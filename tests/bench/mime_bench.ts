// deno-lint-ignore-file no-console
/**
 * Measures how fast messages are taken apart, in MiB a second, by our tree and by its peers, and
 * what memory a large message takes on its way into the JSON of an API:
 *
 *     deno run -A --config=tests/deno.json tests/bench/mime_bench.ts
 */
import PostalMime from "postal-mime";
import { encodeText } from "../../src/base/bytes.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import type { MessageBody } from "../../src/delivery/transport.ts";
import { bytesSource } from "../../src/mail/mime/source.ts";
import { mimeTree } from "../../src/mail/mime/tree.ts";
import { bytesBody } from "../../src/relay/http/body.ts";
import { base64Content, convertJob } from "../../src/relay/http/conversion.ts";
import { parseMessage } from "../../src/relay/http/mime.ts";
import { RELAY_CATALOGUE } from "../../src/relay/mod.ts";
import { jobOf } from "../relay/messages.ts";

const MIB = 1024 * 1024;
const HEAD = "From: a@b.example\r\nTo: c@d.example\r\nMIME-Version: 1.0\r\n" +
  "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n";
const LINE = `${"QUJD".repeat(19)}\r\n`;

/** A message with one file in base64 that makes it about so large. */
function withFile(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const file = "--b\r\nContent-Type: application/pdf; name=a.pdf\r\n" +
    "Content-Transfer-Encoding: base64\r\n\r\n";
  return encodeText(`${HEAD}${file}${LINE.repeat(Math.ceil(sizeBytes / 78))}--b--\r\n`);
}

/** A message of text in quoted-printable. */
function withText(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const line = `Gr=C3=BC=C3=9Fe ${"and more words ".repeat(4)}\r\n`;
  const text = "--b\r\nContent-Type: text/plain; charset=utf-8\r\n" +
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
  return encodeText(`${HEAD}${text}${line.repeat(Math.ceil(sizeBytes / 80))}--b--\r\n`);
}

async function rate(
  octets: Uint8Array<ArrayBuffer>,
  take: (octets: Uint8Array<ArrayBuffer>) => Promise<unknown>,
): Promise<string> {
  await take(octets);
  const startedMs = performance.now();
  for (let round = 0; round < 3; round++) await take(octets);
  const seconds = (performance.now() - startedMs) / 3000;
  return `${(octets.length / MIB / seconds).toFixed(0)} MiB/s`;
}

if (import.meta.main) {
  for (
    const [what, octets] of [["base64", withFile(4 * MIB)], ["text", withText(4 * MIB)]] as const
  ) {
    const ours = await rate(octets, (one) => mimeTree(bytesSource(one)));
    const whole = await rate(octets, (one) => parseMessage(bytesSource(one)));
    const theirs = await rate(octets, (one) => PostalMime.parse(one));
    console.log(`4 MiB of ${what}: tree ${ours}, taken apart ${whole}, postal-mime ${theirs}`);
  }
  await measureFile("one file of 25 MiB", { files: 1, mebibytes: 25 });
  await measureFile("100 files in 25 MiB", { files: 100, mebibytes: 25 });
  await measureRefusal(100);
}

/** A message with files of about the same size, one piece at a time. */
function* pieces(
  { files, mebibytes }: { files: number; mebibytes: number },
): Generator<Uint8Array> {
  const piece = encodeText(LINE.repeat(420));
  const count = Math.ceil(mebibytes * MIB / piece.length / files);
  yield encodeText(HEAD);
  for (let file = 0; file < files; file++) {
    yield encodeText(
      `--b\r\nContent-Type: application/pdf; name=${file}.pdf\r\n` +
        "Content-Transfer-Encoding: base64\r\n\r\n",
    );
    for (let index = 0; index < count; index++) yield piece;
  }
  yield encodeText("--b--\r\n");
}

/** Converts a message in a spool file, and says how much of it was read for that. */
async function measureFile(
  what: string,
  facts: { files: number; mebibytes: number },
): Promise<void> {
  await using store = openMemoryStore();
  const spool = store.spool();
  let sizeBytes = 0;
  for (const piece of pieces(facts)) {
    await spool.write(piece);
    sizeBytes += piece.length;
  }
  const place = { kind: "spool", name: await spool.finish() } as const;
  const job = jobOf("", { recipients: ["c@d.example"] });
  await store.put({ ...job.message, place, recipients: [] });
  let readBytes = 0;
  const body: MessageBody = {
    ...{ sizeBytes, bytes: null },
    async *stream(options) {
      for await (const chunk of await store.body(job.message.id, options) ?? []) {
        readBytes += chunk.length;
        yield chunk;
      }
    },
  };
  const limits = RELAY_CATALOGUE.sendgrid.limits;
  if (limits === undefined) throw new Error("Cannot measure: it takes messages");
  const beforeBytes = Deno.memoryUsage().rss;
  let mostBytes = beforeBytes;
  const startedMs = performance.now();
  const converted = await convertJob({ ...job, body }, limits);
  if (converted.kind !== "converted") throw new Error("Cannot measure: it is refused");
  let sentBytes = 0;
  for (const attachment of converted.attachments) {
    for await (const chunk of base64Content(attachment).inside.stream()) {
      sentBytes += chunk.length;
      mostBytes = Math.max(mostBytes, Deno.memoryUsage().rss);
    }
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
  console.log(
    `${what}: ${mib(readBytes)} read, ${mib(sentBytes)} sent, ${seconds} s, ` +
      `RSS +${mib(mostBytes - beforeBytes)}`,
  );
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}

async function measureRefusal(mebibytes: number): Promise<void> {
  const job = jobOf("", { recipients: ["c@d.example"], sizeBytes: mebibytes * MIB });
  const stream = () => bytesBody(encodeText("")).stream();
  const limits = RELAY_CATALOGUE.resend.limits;
  if (limits === undefined) throw new Error("Cannot measure: it takes messages");
  const body = { sizeBytes: mebibytes * MIB, bytes: null, stream };
  const { kind } = await convertJob({ ...job, body }, limits);
  console.log(`${mebibytes} MiB: ${kind} before it is read`);
}
