/**
 * Messages made up from a seed, after the kinds that public collections hold: nesting, charsets,
 * encodings, names in every form, and boundaries that are broken.
 */
import { concatBytes, encodeText } from "../../../src/base/bytes.ts";
import { type Random, seededRandom } from "../../../src/base/random.ts";

/** A leaf that was put into a message: what a reader has to find. */
export interface MadeLeaf {
  readonly type: string;
  /** The name of the file; null for none. */
  readonly name: string | null;
  /** How the name is written. */
  readonly nameForm: string;
  readonly encoding: string;
  readonly content: Uint8Array;
}

/** A made-up message. */
export interface MadeMessage {
  readonly octets: Uint8Array;
  /** In the order of the message; null where what it has depends on who reads it. */
  readonly leaves: readonly MadeLeaf[] | null;
  /** What is wrong with its boundaries; null for nothing. */
  readonly fault: Fault | null;
}

/** What can be wrong with the boundaries of a message. */
export const FAULTS = [
  "no boundary",
  "boundary never opened",
  "never closed",
  "closed twice",
  "text after the end",
  "text before the beginning",
  "boundary of 120 characters",
  "inner boundary begins with the outer",
  "no empty line after the fields",
  "boundary line indented",
  "cut in the middle",
  "outer boundary inside an inner part",
] as const;
export type Fault = typeof FAULTS[number];

type NameForm = readonly [
  form: string,
  write: (name: string) => string,
  names: readonly string[],
];

const ASCII = [
  "report.pdf",
  "a b.txt",
  "it's.bin",
  "x(1).dat",
  "semi;colon.txt",
  "100%.csv",
];
const WIDE = [
  "Größe.pdf",
  "日本語の名前です.txt",
  "Ελληνικά.bin",
  "naïve résumé.doc",
  "🎉.png",
];

function percent(text: string): string {
  return encodeURIComponent(text)
    .replace(
      /['()*!]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
    );
}

function sections(encoded: string): string[] {
  return encoded.match(/(?:%..|.){1,12}/g) ?? [""];
}

const NAME_FORMS: readonly NameForm[] = [
  ["token", (name) => `; filename=${name}`, ["plain.txt", "x-1_2.bin"]],
  ["quoted", (name) => `; filename="${name}"`, ASCII],
  ["extended", (name) => `; filename*=utf-8''${percent(name)}`, [
    ...ASCII,
    ...WIDE,
  ]],
  [
    "sections",
    (name) =>
      sections(percent(name)).map((piece, index) =>
        `;\r\n filename*${index}*=${index === 0 ? "utf-8''" : ""}${piece}`
      ).join(""),
    WIDE,
  ],
  [
    "sections out of order",
    (name) =>
      sections(percent(name)).map((piece, index) =>
        `;\r\n filename*${index}*=${index === 0 ? "utf-8''" : ""}${piece}`
      ).reverse().join(""),
    WIDE,
  ],
  [
    "plain sections",
    (name) =>
      (name.match(/.{1,5}/g) ?? []).map((piece, index) => `;\r\n filename*${index}="${piece}"`)
        .join(""),
    ASCII.filter((name) => !name.includes("%")),
  ],
  [
    "extended beside plain",
    (name) => `; filename="fallback.txt"; filename*=utf-8''${percent(name)}`,
    WIDE,
  ],
  [
    "encoded-word",
    (name) => `; filename="=?utf-8?B?${encodeText(name).toBase64()}?="`,
    WIDE,
  ],
  ["8 bits", (name) => `; filename="${name}"`, WIDE],
];

const CHARSETS: readonly (readonly [charset: string, octets: readonly number[]])[] = [
  ["utf-8", [...encodeText("Grüße, 日本, €\r\nend\r\n")]],
  ["iso-8859-1", [71, 114, 252, 223, 101, 13, 10]],
  ["windows-1252", [53, 32, 128, 13, 10]],
  ["koi8-r", [240, 210, 201, 215, 197, 212, 13, 10]],
  ["shift_jis", [0x93, 0xfa, 0x96, 0x7b, 13, 10]],
  ["gb18030", [0xd6, 0xd0, 0xce, 0xc4, 13, 10]],
  ["us-ascii", [...encodeText("plain words\r\nand more\r\n")]],
];

/** Makes the message of a seed. */
export function madeUp(seed: number): MadeMessage {
  return new Maker(seed).message();
}

class Maker {
  readonly #random: Random;
  readonly #leaves: MadeLeaf[] = [];
  #boundaries = 0;
  readonly #fault: Fault | null;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#fault = seed % 3 === 0 ? FAULTS[Math.floor(seed / 3) % FAULTS.length] ?? null : null;
  }

  message(): MadeMessage {
    const head =
      "From: a@b.example\r\nTo: c@d.example\r\nSubject: made up\r\nMIME-Version: 1.0\r\n";
    const isFaulty = this.#fault !== null;
    const body = this.#below(3) > 0 || isFaulty ? this.#multipart(0) : this.#leaf();
    const octets = concatBytes([encodeText(head), body]);
    return {
      octets: this.#fault === "cut in the middle"
        ? octets.subarray(0, Math.floor(octets.length * 0.6))
        : octets,
      leaves: isFaulty ? null : this.#leaves,
      fault: this.#fault,
    };
  }

  #below(limit: number): number {
    return Math.floor(this.#random.float() * limit);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  /** A part with its fields. */
  #part(depth: number): Uint8Array {
    const kind = this.#below(depth < 4 ? 8 : 6);
    if (kind === 7) return this.#multipart(depth);
    if (kind === 6) return this.#inside(depth);
    return this.#leaf();
  }

  #inside(depth: number): Uint8Array {
    return concatBytes([
      encodeText(
        "Content-Type: message/rfc822\r\n\r\nSubject: inside\r\nMIME-Version: 1.0\r\n",
      ),
      this.#part(depth + 1),
    ]);
  }

  #multipart(depth: number): Uint8Array {
    const fault = depth === 0 ? this.#fault : null;
    const boundary = this.#boundary(depth);
    const named = fault === "no boundary"
      ? ""
      : `; boundary="${fault === "boundary never opened" ? "other" : boundary}"`;
    const subtype = this.#pick([
      "mixed",
      "mixed",
      "related",
      "alternative",
      "parallel",
    ]);
    const pieces: Uint8Array[] = [
      encodeText(`Content-Type: multipart/${subtype}${named}\r\n\r\n`),
    ];
    const say = (text: string): void => void pieces.push(encodeText(text));
    if (fault === "text before the beginning") {
      say("Words before all parts.\r\n");
    }
    for (let count = 1 + this.#below(3); count > 0; count--) {
      const indent = fault === "boundary line indented" && count === 1 ? " " : "";
      say(
        `${pieces.length > 1 ? "\r\n" : ""}${indent}--${boundary}${
          this.#pick(["", "", " ", "\t "])
        }\r\n`,
      );
      if (fault === "no empty line after the fields") {
        say("Content-Type: text/plain\r\nNo empty line before this.\r\n");
      } else pieces.push(this.#part(depth + 1));
      if (fault === "outer boundary inside an inner part") {
        say(
          `\r\n--${boundary}\r\nContent-Type: text/plain\r\n\r\n--${boundary}\r\n\r\nx`,
        );
      }
    }
    if (fault !== "never closed") say(`\r\n--${boundary}--\r\n`);
    if (fault === "closed twice") {
      say(`\r\n--${boundary}\r\n\r\nlate\r\n--${boundary}--\r\n`);
    }
    if (fault === "text after the end") say("Words after all parts.\r\n");
    return concatBytes(pieces);
  }

  #boundary(depth: number): string {
    const number = ++this.#boundaries;
    if (this.#fault === "boundary of 120 characters") {
      return `${number}${"x".repeat(120)}`;
    }
    if (this.#fault === "inner boundary begins with the outer") {
      return "=_b".repeat(depth + 1);
    }
    return this.#pick([
      `b${number}`,
      `----=_Part_${number}`,
      `a b ${number}`,
      `'()+_,-./:=?${number}`,
    ]);
  }

  #leaf(): Uint8Array {
    const isText = this.#below(2) === 0;
    const type = isText ? this.#pick(["text/plain", "text/html"]) : this.#pick([
      "application/pdf",
      "image/png",
      "application/octet-stream",
      "text/calendar",
    ]);
    const [charset, octets] = this.#pick(CHARSETS);
    const isNamed = !isText || this.#below(4) === 0;
    const [nameForm, write, names] = this.#pick(NAME_FORMS);
    const name = isNamed ? this.#pick(names) : null;
    const encoding = this.#pick(
      isText ? ["8bit", "quoted-printable", "base64"] : ["base64", "base64", "quoted-printable"],
    );
    const content = isText ? Uint8Array.from(octets) : this.#octets();
    this.#leaves.push({
      type,
      name,
      nameForm: isNamed ? nameForm : "",
      encoding,
      content,
    });
    const disposition = name === null
      ? ""
      : `Content-Disposition: ${this.#pick(["attachment", "inline"])}${write(name)}\r\n`;
    return concatBytes([
      encodeText(
        `Content-Type: ${type}${isText ? `; charset=${charset}` : ""}\r\n${disposition}`,
      ),
      encodeText(`Content-Transfer-Encoding: ${encoding}\r\n\r\n`),
      this.#encoded(content, encoding),
    ]);
  }

  /** Octets of all kinds, lines of every end among them. */
  #octets(): Uint8Array {
    const octets = new Uint8Array(this.#below(400));
    this.#random.fill(octets);
    const ends = ["\r\n", "\n", "\r", "--b1", "=", "\r\n\r\n", " \r\n", "."];
    return concatBytes([
      octets,
      encodeText(this.#pick(ends)),
      octets.subarray(0, 40),
    ]);
  }

  #encoded(content: Uint8Array, encoding: string): Uint8Array {
    if (encoding === "base64") {
      const lines = content.toBase64().match(/.{1,76}/g) ?? [];
      return encodeText(lines.join("\r\n"));
    }
    if (encoding !== "quoted-printable") return content;
    const isText = content.every((octet) => octet === 13 || octet === 10 || octet > 31);
    let line = "";
    let written = "";
    for (const [index, octet] of content.entries()) {
      const isBreak = isText && (octet === 10 && content[index - 1] === 13 ||
        octet === 13 && content[index + 1] === 10);
      const isPlain = octet > 32 && octet < 127 && octet !== 61;
      if (isBreak) {
        if (octet === 10) {
          written += `${line}\r\n`;
          line = "";
        }
        continue;
      }
      line += isPlain
        ? String.fromCharCode(octet)
        : `=${octet.toString(16).toUpperCase().padStart(2, "0")}`;
      if (line.length < 70) continue;
      written += `${line}=\r\n`;
      line = "";
    }
    return encodeText(written + line);
  }
}
