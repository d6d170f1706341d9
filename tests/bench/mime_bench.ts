// deno-lint-ignore-file no-console
/**
 * Measures how fast messages are taken apart, in MiB a second, by our tree and by its peers, and
 * what memory a large message takes on its way into the JSON of an API:
 *
 *     deno run -A --config=tests/deno.json tests/bench/mime_bench.ts
 */
import PostalMime from "postal-mime";
import { encodeText } from "../../src/base/bytes.ts";
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
  await measureMemory(25);
  await measureRefusal(100);
}

/** Converts a message whose octets come in pieces, as from a spool file. */
async function measureMemory(mebibytes: number): Promise<void> {
  const piece = encodeText(LINE.repeat(840));
  const count = Math.ceil(mebibytes * MIB / piece.length);
  const head = withFile(0);
  const end = encodeText("--b--\r\n");
  const start = head.subarray(0, head.length - end.length);
  const job = jobOf("", { recipients: ["c@d.example"] });
  const body = {
    sizeBytes: start.length + count * piece.length + end.length,
    bytes: null,
    async *stream() {
      yield await Promise.resolve(start);
      for (let index = 0; index < count; index++) yield piece;
      yield end;
    },
  };
  const beforeBytes = Deno.memoryUsage().rss;
  const limits = RELAY_CATALOGUE.sendgrid.limits;
  if (limits === undefined) throw new Error("Cannot measure: it takes messages");
  const converted = await convertJob({ ...job, body }, limits);
  if (converted.kind !== "converted") throw new Error("Cannot measure: it is refused");
  let sentBytes = 0;
  let mostBytes = beforeBytes;
  for (const attachment of converted.attachments) {
    for await (const chunk of base64Content(attachment).inside.stream()) {
      sentBytes += chunk.length;
      mostBytes = Math.max(mostBytes, Deno.memoryUsage().rss);
    }
  }
  const grownMib = ((mostBytes - beforeBytes) / MIB).toFixed(0);
  console.log(
    `${mebibytes} MiB into JSON: ${(sentBytes / MIB).toFixed(0)} MiB sent, RSS +${grownMib} MiB`,
  );
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
