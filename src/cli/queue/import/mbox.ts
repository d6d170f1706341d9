import { type MboxPart, splitMbox } from "./mbox_split.ts";
import type { FromQuoting } from "./mail_lines.ts";
import { mailLines } from "./mail_lines.ts";
import { fileRange, type ImportFormat, type MailSource, type SourceItem } from "./source.ts";

/** The subject that mail readers of the c-client family give to a note to themselves. */
const INTERNAL_NOTE = /^Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA/m;
const NOTE_LOOKED_AT_BYTES = 2048;

/**
 * The kinds of mbox. `mbox` takes a `>` from any quoted `From ` line, as mboxrd has it, and
 * believes Content-Length where a message ends there.
 */
const KINDS: Readonly<
  Partial<Record<ImportFormat, { quoting: FromQuoting; usesLength: boolean }>>
> = {
  mbox: { quoting: "any", usesLength: true },
  mboxo: { quoting: "one", usesLength: false },
  mboxcl: { quoting: "one", usesLength: true },
  mboxcl2: { quoting: "none", usesLength: true },
};

/** The messages of an mbox (RFC 4155), which is read in pieces regardless of its size. */
export function mboxSource(path: string, format: ImportFormat): MailSource {
  const { quoting, usesLength } = KINDS[format] ?? { quoting: "any", usesLength: true };
  return {
    ...{ path, format },
    async count() {
      using file = await Deno.open(path);
      let count = 0;
      for await (const _part of splitMbox(file, { usesLength })) count++;
      return count;
    },
    async *items() {
      const place = await Deno.realPath(path);
      using file = await Deno.open(path);
      for await (const part of splitMbox(file, { usesLength })) {
        yield await itemOf(part, { path, place, quoting });
      }
    },
  };
}

async function itemOf(
  part: MboxPart,
  { path, place, quoting }: { path: string; place: string; quoting: FromQuoting },
): Promise<SourceItem> {
  const label = `${path} at ${part.offset}`;
  if (part.offset === 0 && await isInternalNote(path, part)) {
    return { kind: "passed", label, reason: "internal message of a mail reader" };
  }
  return {
    ...{ kind: "message", label, exported: null },
    identity: `mbox ${place} ${part.offset}`,
    reversePath: senderOf(part.fromLine),
    octets: () => mailLines(fileRange(path, part), { quoting }),
  };
}

/** The sender in a `From ` line; null where it names a program or nobody. */
function senderOf(line: string): string | null {
  const [, sender = ""] = /^From (\S+)/.exec(line) ?? [];
  return sender.includes("@") ? sender.replace(/^<(.*)>$/, "$1") : null;
}

async function isInternalNote(path: string, { start, end }: MboxPart): Promise<boolean> {
  const range = { start, end: Math.min(end, start + NOTE_LOOKED_AT_BYTES) };
  let text = "";
  for await (const chunk of fileRange(path, range)) text += new TextDecoder().decode(chunk);
  return INTERNAL_NOTE.test(text);
}
