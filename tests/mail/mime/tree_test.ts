import { assert, assertEquals } from "@std/assert";
import { concatBytes, encodeText } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { fileNameOf } from "../../../src/mail/mime/entity.ts";
import { contentOctets, contentPieces } from "../../../src/mail/mime/content.ts";
import { bytesSource, type OctetSource } from "../../../src/mail/mime/source.ts";
import { type MimePart, mimeTree, partsOf, piecesOf } from "../../../src/mail/mime/tree.ts";
import { madeUp } from "./made_up.ts";

const SEEDS = Array.from({ length: 400 }, (_, seed) => seed);

Deno.test("mime: the parts' ranges cover the whole message, whatever is wrong with it", async () => {
  for (const seed of SEEDS) {
    const { octets, fault } = madeUp(seed);
    await checkCover(octets, `seed ${seed}, ${fault ?? "sound"}`);
    // What a hostile sender may cut, double or swap.
    const cut = Math.floor(octets.length / 2);
    await checkCover(
      concatBytes([octets.subarray(cut), octets.subarray(0, cut)]),
      `${seed} turned`,
    );
    await checkCover(
      octets.filter((octet) => octet !== 13),
      `${seed} without CR`,
    );
  }
});

Deno.test("mime: the parts' ranges cover messages whose octets were changed at random", async () => {
  const random = seededRandom(7);
  const at = (length: number): number => Math.floor(random.float() * length);
  const SPLICES = [
    "--",
    "\r\n",
    "\n",
    "\r\n\r\n",
    "--b",
    "--b--\r\n",
    ": ",
    ";",
    '"',
    "\0",
    "\xff",
  ];
  for (const seed of SEEDS) {
    let octets = madeUp(seed).octets;
    for (let change = 0; change < 6; change++) {
      const [from, to] = [at(octets.length), at(octets.length)].sort((one, other) => one - other);
      const splice = encodeText(SPLICES[at(SPLICES.length)] ?? "");
      octets = concatBytes([
        octets.subarray(0, from),
        splice,
        octets.subarray(change % 2 ? to : from),
      ]);
      await checkCover(octets, `seed ${seed}, change ${change}`);
    }
  }
});

Deno.test("mime: every leaf that was put in is found, with its name and its octets", async () => {
  for (const seed of SEEDS) {
    const { octets, leaves } = madeUp(seed);
    if (leaves === null) continue;
    const source = bytesSource(octets);
    const { root, isTooComplex } = await mimeTree(source);
    assert(!isTooComplex);
    const found = [...partsOf(root)].filter(({ parts }) => parts.length === 0);
    const seen = await Promise.all(found.map(async (part) => ({
      ...{ type: part.entity.mediaType, name: fileNameOf(part.entity) },
      content: (await contentOctets(source, part)).toHex(),
    })));
    const made = leaves.map(({ type, name, content }) => ({
      type,
      name,
      content: content.toHex(),
    }));
    assertEquals(seen, made, `seed ${seed}`);
  }
});

Deno.test("mime: the tree does not depend on how the octets arrive", async () => {
  for (const seed of SEEDS.slice(0, 60)) {
    const { octets } = madeUp(seed);
    const whole = await mimeTree(bytesSource(octets));
    for (const chunkBytes of [1, 2, 3, 7, 64, 1000]) {
      const source = chunked(octets, chunkBytes);
      const { root } = await mimeTree(source);
      assertEquals(
        outline(root),
        outline(whole.root),
        `seed ${seed}, chunks of ${chunkBytes}`,
      );
      for (const part of partsOf(root)) {
        if (part.parts.length > 0) continue;
        const pieces = [];
        for await (const piece of contentPieces(source, part)) {
          pieces.push(piece.slice());
        }
        const content = concatBytes(pieces);
        assertEquals(
          content,
          new Uint8Array(await contentOctets(bytesSource(octets), part)),
        );
        assertEquals(part.contentBytes, content.length);
      }
    }
  }
});

const LIMIT_ROWS: readonly (readonly [what: string, message: () => string])[] = [
  [
    "5,000 levels of multiparts",
    () =>
      Array.from(
        { length: 5_000 },
        (_, depth) => `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n`,
      )
        .join(""),
  ],
  [
    "5,000 levels of messages",
    () => "Content-Type: message/rfc822\r\n\r\n".repeat(5_000),
  ],
  [
    "a million parts",
    () => `${MULTIPART}${"--b\r\n\r\n\r\n".repeat(1_000_000)}`,
  ],
  [
    "a header section of 8 MB",
    () => `X-Long: ${"x".repeat(4_000_000)}\r\n\r\ntext`,
  ],
  ["a million fields", () => `${"X: y\r\n".repeat(1_000_000)}\r\ntext`],
  [
    "parts with long header sections",
    () => `${MULTIPART}${`--b\r\nX: ${"x".repeat(200_000)}\r\n\r\n\r\n`.repeat(60)}`,
  ],
];

const MULTIPART = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";

Deno.test("mime: what is beyond reason is not looked into, and not lost", async () => {
  for (const [what, message] of LIMIT_ROWS) {
    const octets = encodeText(message());
    const tree = await checkCover(octets, what);
    assert(tree.isTooComplex, what);
    assert([...partsOf(tree.root)].length <= 10_001, what);
  }
});

const LINEAR_ROWS: readonly (readonly [what: string, message: () => string])[] = [
  ["dashes", () => `${MULTIPART}--b\r\n\r\n${"\n--".repeat(1_000_000)}`],
  [
    "lines that begin as the boundary",
    () => `${MULTIPART}--b\r\n\r\n${"\r\n--b-x".repeat(500_000)}`,
  ],
  [
    "one line of dashes",
    () => `${MULTIPART}--b\r\n\r\n\r\n--${"-".repeat(4_000_000)}`,
  ],
  ["line feeds", () => `${MULTIPART}--b\r\n\r\n${"\n".repeat(4_000_000)}`],
  [
    "blanks in quoted-printable",
    () => `Content-Transfer-Encoding: quoted-printable\r\n\r\n${" ".repeat(4_000_000)}`,
  ],
  [
    "equals signs",
    () => `Content-Transfer-Encoding: quoted-printable\r\n\r\n${"=".repeat(4_000_000)}`,
  ],
  [
    "base64 of padding",
    () => `Content-Transfer-Encoding: base64\r\n\r\n${"A=".repeat(2_000_000)}`,
  ],
  ["lines from a mailbox file", () => "From a\r\n".repeat(1_000_000)],
  [
    "parameters without an end",
    () => `Content-Type: a/b${';a="\\'.repeat(40_000)}\r\n\r\n`,
  ],
  [
    "encoded-words without an end",
    () => `Content-Type: a/b; name="${"=?a?q?".repeat(40_000)}"\r\n\r\n`,
  ],
];

/** Each of these would take minutes where time grows with the square of the length. */
Deno.test("mime: hostile octets take time in line with their number", async () => {
  for (const [what, message] of LINEAR_ROWS) {
    const { root } = await checkCover(encodeText(message()), what);
    for (const part of partsOf(root)) fileNameOf(part.entity);
  }
});

Deno.test("mime: others have a turn while a long message is read", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  try {
    await mimeTree(
      bytesSource(
        encodeText(`${MULTIPART}--b\r\n\r\n${"line\r\n".repeat(4_000_000)}`),
      ),
    );
  } finally {
    clearInterval(timer);
  }
  assert(turns > 3, `${turns} turns`);
});

async function checkCover(octets: Uint8Array, about: string) {
  const tree = await mimeTree(bytesSource(octets));
  let at = 0;
  for (const { start, end } of piecesOf(tree.root)) {
    assertEquals(start, at, about);
    assert(end >= start, about);
    at = end;
  }
  assertEquals(at, octets.length, about);
  assertEquals(tree.sizeBytes, octets.length, about);
  return tree;
}

function outline(part: MimePart): unknown {
  const {
    header,
    body,
    preamble,
    delimiters,
    epilogue,
    isClosed,
    contentBytes,
  } = part;
  return {
    ...{
      type: part.entity.mediaType,
      kind: part.entity.kind,
      header,
      body,
      preamble,
      epilogue,
    },
    ...{ delimiters, isClosed, contentBytes, parts: part.parts.map(outline) },
  };
}

function chunked(octets: Uint8Array, chunkBytes: number): OctetSource {
  return {
    sizeBytes: octets.length,
    bytes: null,
    async *stream({ from = 0 } = {}) {
      await Promise.resolve();
      const chunk = new Uint8Array(chunkBytes);
      for (let at = from; at < octets.length; at += chunkBytes) {
        const piece = octets.subarray(at, at + chunkBytes);
        chunk.set(piece);
        yield chunk.subarray(0, piece.length); // it changes with the next one
      }
    },
  };
}
