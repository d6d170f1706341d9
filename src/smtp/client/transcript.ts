import type { Reply } from "../../mail/reply.ts";

/** A line longer than this is cut; a text line of SMTP is 512 octets at most (RFC 5321 4.5.3.1). */
const LINE_LIMIT = 512;
/** More steps than this are left out in the middle, so that the end is always there. */
const HEAD_STEPS = 60;
const TAIL_STEPS = 20;

type Step =
  | { readonly by: "client"; readonly text: string }
  | { readonly by: "server"; readonly reply: Reply }
  | { readonly by: "nobody"; readonly text: string };

/**
 * What was said in one attempt, in the order of the wire: `C:` what this client said, `S:` what
 * the server answered, `--` what happened between the two. Octets of messages and whatever proves
 * an identity are not in it, only that they were sent. Recording keeps what is there anyway; lines
 * are made when they are asked for.
 */
export class Transcript {
  readonly #head: Step[] = [];
  readonly #tail: Step[] = [];
  #leftOut = 0;

  /** Commands with their CRLF, one or a pipelined group. */
  said(commands: string): void {
    this.#add({ by: "client", text: commands });
  }

  heard(reply: Reply): void {
    this.#add({ by: "server", reply });
  }

  /** Something that is no part of the dialogue. */
  note(text: string): void {
    this.#add({ by: "nobody", text });
  }

  /** The lines so far. */
  lines(): string[] {
    const head = this.#head.flatMap(linesOf);
    if (this.#leftOut > 0) head.push(`-- ${this.#leftOut} more left out`);
    return [...head, ...this.#tail.flatMap(linesOf)];
  }

  #add(step: Step): void {
    if (this.#head.length < HEAD_STEPS) {
      this.#head.push(step);
      return;
    }
    this.#tail.push(step);
    if (this.#tail.length <= TAIL_STEPS) return;
    this.#tail.shift();
    this.#leftOut++;
  }
}

function linesOf(step: Step): string[] {
  switch (step.by) {
    case "client":
      return commandLines(step.text);
    case "server":
      return replyLines(step.reply);
    case "nobody":
      return [cut(`-- ${step.text}`)];
  }
}

/** A group to very many recipients is cut as a dialogue is. */
function commandLines(text: string): string[] {
  const lines = text.split("\r\n", HEAD_STEPS + 1).filter((line) => line !== "");
  const shown = lines.slice(0, HEAD_STEPS).map((line) => cut(`C: ${line}`));
  if (lines.length > HEAD_STEPS) shown.push("-- more commands left out");
  return shown;
}

/** As it stood on the wire (RFC 5321 4.2.1). */
function replyLines({ code, enhanced, lines }: Reply): string[] {
  const status = enhanced === undefined ? "" : `${enhanced} `;
  return lines.map((line, index) => {
    const separator = index === lines.length - 1 ? " " : "-";
    return cut(`S: ${code}${separator}${status}${line}`.trimEnd());
  });
}

function cut(line: string): string {
  return line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT - 1)}…` : line;
}
