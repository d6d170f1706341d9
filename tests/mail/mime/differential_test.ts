import { assert, assertEquals } from "@std/assert";
import { decodeLatin1 } from "../../../src/base/bytes.ts";
import { havePeer } from "../../support/peers.ts";
import { madeUp } from "./made_up.ts";
import { mailparserFiles, ourLeaves, postalFiles, pythonLeaves, type SeenLeaf } from "./peers.ts";

const SEEDS = Array.from({ length: 480 }, (_, seed) => seed);
const BATCH = 60;

/** A disagreement that was looked into: ours is right, for this reason. */
interface Decided {
  readonly why: string;
  applies(ours: SeenLeaf, theirs: SeenLeaf): boolean;
}

const WITH_PYTHON: readonly Decided[] = [
  {
    why: "a name in octets above 127 is text in UTF-8, not unknown characters",
    applies: (ours, theirs) => theirs.name.includes("\ufffd") && !ours.name.includes("\ufffd"),
  },
  {
    why: "of `filename` and `filename*` the second is the whole name (RFC 6266 4.3)",
    applies: (ours, theirs) => theirs.name === "fallback.txt" && ours.name !== "",
  },
  {
    why: "the last line break of a message belongs to its last part where nothing closes that",
    applies: (ours, theirs) => /^(?:0d)?0a$/.test(ours.content.slice(theirs.content.length)),
  },
  {
    why: "a last boundary that no other precedes is a line of text, and not lost",
    applies: (ours, theirs) => /^--\S.*--$/.test(textOf(ours).slice(textOf(theirs).length)),
  },
  {
    why: "base64 that was cut is decoded as far as it goes",
    applies: (ours, theirs) => textOf(theirs).startsWith(base64Of(ours)),
  },
  {
    why: "blanks at the end of a line of quoted-printable were added on the way (RFC 2045 6.7)",
    applies: (ours, theirs) => withoutBlanks(theirs) === withoutBlanks(ours),
  },
];

const WITH_POSTAL: readonly Decided[] = [
  {
    why: "octets of quoted-printable files stay as they are; postal-mime ends them by LF",
    applies: (ours, theirs) => withoutBreaks(theirs) === withoutBreaks(ours),
  },
];

/** Files of ours that mailparser does not show. */
const WITH_MAILPARSER: readonly {
  readonly why: string;
  applies(file: { leaf: SeenLeaf; octets: Uint8Array }): boolean;
}[] = [
  {
    why: "a file in multipart/alternative is not left out",
    applies: ({ octets }) => /multipart\/alternative/i.test(decodeLatin1(octets)),
  },
  {
    why: "a message inside is looked into; mailparser keeps it as one file",
    applies: ({ octets }) => /message\/rfc822/i.test(decodeLatin1(octets)),
  },
];

Deno.test({
  name: "mime: Python's email package finds the same parts and octets (needs python3)",
  ignore: !havePeer("python3"),
  fn: async () => {
    const used = new Set<string>();
    for (let from = 0; from < SEEDS.length; from += BATCH) {
      const made = SEEDS.slice(from, from + BATCH).map(madeUp);
      const seen = await pythonLeaves(made.map(({ octets }) => octets));
      for (const [index, { octets, fault }] of made.entries()) {
        const about = `seed ${from + index}, ${fault ?? "sound"}`;
        const ours = await ourLeaves(octets);
        const theirs = seen[index] ?? [];
        assertEquals(
          theirs.map(({ type }) => type),
          ours.map(({ type }) => type),
          about,
        );
        ours.forEach((leaf, place) =>
          settle(WITH_PYTHON, { leaf, other: theirs[place], about, used })
        );
      }
    }
    assertEquals(
      [...used].sort(),
      WITH_PYTHON.map(({ why }) => why).sort(),
      "rows of no use",
    );
  },
});

Deno.test("mime: postal-mime finds the octets of the same files", async () => {
  const used = new Set<string>();
  for (const seed of SEEDS) {
    const { octets, fault } = madeUp(seed);
    if (fault !== null) continue;
    const ours = (await ourLeaves(octets)).filter(isFile);
    const theirs = (await postalFiles(octets)).filter(isFile);
    const about = `seed ${seed}`;
    assertEquals(theirs.length, ours.length, about);
    ours.forEach((leaf, place) => settle(WITH_POSTAL, { leaf, other: theirs[place], about, used }));
  }
  assertEquals(
    [...used].sort(),
    WITH_POSTAL.map(({ why }) => why).sort(),
    "rows of no use",
  );
});

Deno.test("mime: mailparser and our tree find the same files, octet for octet", async () => {
  const used = new Set<string>();
  let found = 0;
  for (const seed of SEEDS) {
    const { octets, fault } = madeUp(seed);
    if (fault !== null) continue;
    const ours = await ourLeaves(octets);
    // It names types by the names of files, so that a file of ours may have another type there.
    const theirs = await mailparserFiles(octets);
    for (const { content, name } of theirs.filter(isFile)) {
      assert(ours.some((leaf) => leaf.content === content), `seed ${seed}: ${name} is not ours`);
      found++;
    }
    for (const leaf of ours.filter(isFile)) {
      if (theirs.some(({ content }) => content === leaf.content)) continue;
      const reasons = WITH_MAILPARSER.filter((row) => row.applies({ leaf, octets }));
      assert(reasons.length > 0, `seed ${seed}: ${leaf.type} ${leaf.name} is not theirs`);
      for (const { why } of reasons) used.add(why);
    }
  }
  assert(found > 100, `only ${found} files were compared`);
  assertEquals([...used].sort(), WITH_MAILPARSER.map(({ why }) => why).sort(), "rows of no use");
});

/** Two readings of a leaf are the same, or differ for a reason that is known. */
function settle(
  decided: readonly Decided[],
  { leaf, other, about, used }: {
    leaf: SeenLeaf;
    other: SeenLeaf | undefined;
    about: string;
    used: Set<string>;
  },
): void {
  assert(other !== undefined, about);
  if (leaf.content === other.content && leaf.name === other.name) return;
  const reasons = decided.filter((row) => row.applies(leaf, other));
  if (reasons.length === 0) assertEquals(other, leaf, about);
  for (const { why } of reasons) used.add(why);
}

/** Files that no reader takes for text. */
function isFile({ type }: SeenLeaf): boolean {
  return /^(?:application|image)\//.test(type);
}

function textOf({ content }: SeenLeaf): string {
  return new TextDecoder("latin1").decode(Uint8Array.fromHex(content)).replace(
    /\s/g,
    "",
  );
}

function base64Of({ content }: SeenLeaf): string {
  const whole = content.slice(0, content.length - content.length % 6);
  return Uint8Array.fromHex(whole).toBase64();
}

function withoutBlanks({ content }: SeenLeaf): string {
  return Uint8Array.fromHex(content).filter((octet) => ![9, 32].includes(octet))
    .toHex();
}

function withoutBreaks({ content }: SeenLeaf): string {
  return Uint8Array.fromHex(content).filter((octet) => ![10, 13].includes(octet)).toHex();
}
