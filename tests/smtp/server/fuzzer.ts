/** Makes bad input for the server out of good: dialogues, changed at random but repeatably. */
import { concatBytes } from "../../../src/base/bytes.ts";
import type { Random } from "../../../src/base/random.ts";
import { parseDialogue } from "./dialogue.ts";

const encoder = new TextEncoder();

/** Words that mean something to some command, and things that should mean nothing. */
const WORDS =
  ("HELO EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP AUTH STARTTLS ETRN TURN " +
    "XCLIENT XFORWARD FROM:<> TO:<> FROM:<a@b.example> TO:<c@example.com> <@r.example:a@b.example> " +
    "SIZE=0 SIZE=99999999999999999999 BODY=7BIT BODY=8BITMIME BODY=BINARYMIME SMTPUTF8 RET=HDRS " +
    "ENVID=+ NOTIFY=NEVER,DELAY ORCPT=rfc822;a+2B HOLDFOR=1 BY=-5;NT MT-PRIORITY=10 REQUIRETLS " +
    "AUTH=<> PLAIN LOGIN = * ADDR=192.0.2.9 NAME=[UNAVAILABLE] LAST 0 1 -1 007 4294967296 " +
    'a..b@c [127.0.0.1] [IPv6:::1] "q\\"@"@example.com ä@ö.example @ < > : = ; , + ==').split(" ");
const OCTETS = ["\r\n", "\r\n.\r\n", "\n", "\r", ".", "..", "\0", " ", "\t", "\x7f", "\x1b[0m", "é"]
  .map((text) => encoder.encode(text)).concat(
    [0x80, 0xc3, 0xff].map((octet) => Uint8Array.of(octet)),
  );

/** What a client says, command by command. */
export type Input = readonly Uint8Array[];

/** The client's side of a dialogue file. */
export function inputOf(file: string): Input {
  return parseDialogue(file).flatMap(({ kind, text }) => {
    if (kind === "C:") return [encoder.encode(`${text}\r\n`)];
    return kind === "C~" ? [octetsOf(text)] : [];
  });
}

function octetsOf(text: string): Uint8Array {
  const escapes: Readonly<Record<string, string>> = { r: "\r", n: "\n", "0": "\0" };
  return encoder.encode(
    text.replace(/\\([rn0])/g, (_, letter: string) => escapes[letter] ?? "")
      .replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
  );
}

/** Changes inputs into others. */
export class Fuzzer {
  readonly #seeds: readonly Input[];
  readonly #random: Random;

  constructor(seeds: readonly Input[], random: Random) {
    this.#seeds = seeds;
    this.#random = random;
  }

  /** The next input. */
  next(): Uint8Array {
    if (this.#below(50) === 0) return this.#noise(1 + this.#below(3000));
    let input = this.#one(this.#seeds);
    for (let left = 1 + this.#below(6); left > 0; left--) input = this.#change(input);
    return concatBytes([...input]);
  }

  /** Cuts octets as a network might. */
  pieces(octets: Uint8Array): Uint8Array[] {
    const longest = this.#below(20) === 0 ? 1 : this.#one([20, 100, 700, Infinity]);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < octets.length;) {
      const length = 1 + this.#below(Math.min(longest, octets.length));
      pieces.push(octets.subarray(at, at + length));
      at += length;
    }
    return pieces;
  }

  #change(input: Input): Input {
    const at = this.#below(input.length);
    const line = input[at] ?? new Uint8Array();
    const before = input.slice(0, at);
    const after = input.slice(at + 1);
    switch (this.#below(9)) {
      case 0:
        return [...before, ...after];
      case 1:
        return [...before, line, line, ...after];
      case 2:
        return [...before, ...after, line];
      case 3:
        return [...before, this.#line(), line, ...after];
      case 4: // the begin of one dialogue, the end of another
        return [...before, ...this.#one(this.#seeds).slice(this.#below(5))];
      case 5:
        return [...before, this.#withWord(line), ...after];
      case 6:
        return [...before, this.#cut(line, this.#one(OCTETS)), ...after];
      case 7:
        return [...before, this.#cut(line, this.#noise(this.#below(20))), ...after];
      default:
        return [...before, ...this.#repeated(line), ...after];
    }
  }

  #line(): Uint8Array {
    const words = Array.from({ length: 1 + this.#below(5) }, () => this.#one(WORDS));
    return encoder.encode(`${words.join(" ")}\r\n`);
  }

  #withWord(line: Uint8Array): Uint8Array {
    const words = new TextDecoder().decode(line).replace(/\r\n$/, "").split(" ");
    words[this.#below(words.length + 1)] = this.#one(WORDS);
    return encoder.encode(`${words.join(" ")}\r\n`);
  }

  /** Puts octets in the place of some others. */
  #cut(line: Uint8Array, inserted: Uint8Array): Uint8Array {
    const at = this.#below(line.length + 1);
    return concatBytes([line.subarray(0, at), inserted, line.subarray(at + this.#below(3))]);
  }

  /** The line a few times, or one octet of it many times. */
  #repeated(line: Uint8Array): Input {
    if (this.#below(2) === 0) return Array.from({ length: this.#below(30) }, () => line);
    const at = this.#below(line.length);
    const run = new Uint8Array(this.#below(3000)).fill(line[at] ?? 0);
    return [concatBytes([line.subarray(0, at), run, line.subarray(at)])];
  }

  #noise(length: number): Uint8Array {
    return this.#random.fill(new Uint8Array(length));
  }

  #one<Element>(elements: readonly Element[]): Element {
    return elements[this.#below(elements.length)] as Element;
  }

  #below(limit: number): number {
    return Math.floor(this.#random.float() * limit);
  }
}
