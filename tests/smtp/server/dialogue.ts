/**
 * Reads and plays the text dialogues of `tests/dialogues/`; the README there tells the notation.
 */
import { assert, assertEquals } from "@std/assert";
import { decodeLatin1, decodeText } from "../../../src/base/bytes.ts";
import { settle } from "../../support/manual_clock.ts";
import { DialogueSettings } from "./dialogue_settings.ts";
import type { MemoryConn } from "./memory_conn.ts";
import type { StoredMessage } from "./memory_sink.ts";
import { type SessionSetup, sessionSetup } from "./session_setup.ts";

/** One line of a dialogue file that is no comment. */
export interface DialogueLine {
  readonly number: number;
  readonly kind: "!" | "C:" | "C~" | "S:" | "S+" | "M:" | "*";
  readonly text: string;
}

/** Takes a file apart. */
export function parseDialogue(file: string): DialogueLine[] {
  return file.split("\n").flatMap((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const match = /^(!|C:|C~|S:|S\+|M:|\*)(?: (.*))?$/.exec(line);
    if (match === null) throw new Error(`line ${index + 1}: no such notation, got "${line}"`);
    const kind = match[1] as DialogueLine["kind"];
    return [{ number: index + 1, kind, text: match[2] ?? "" }];
  });
}

/** Plays a dialogue against a server of its own. */
export async function playDialogue(lines: readonly DialogueLine[]): Promise<void> {
  const settings = new DialogueSettings(
    lines.filter(({ kind }) => kind === "!").map(({ text }) => text),
  );
  const setup = sessionSetup(settings.serverOptions);
  await using _end = setup;
  settings.applyTo(setup.sink);
  const { conn, done } = setup.connect(settings.clientAddress, settings.handshake);
  await settle();
  const play = new Play(setup, conn);
  for (const line of lines) await play.step(line);
  play.sendWaiting();
  conn.leave();
  await done;
  assertEquals(conn.takeOutput(), "", "the server said more");
}

class Play {
  readonly #setup: SessionSetup;
  readonly #conn: MemoryConn;
  #waiting = "";
  #messageLine = 0;
  /** The lines of the last reply that was read as a whole. */
  #reply: string[] = [];

  constructor(setup: SessionSetup, conn: MemoryConn) {
    this.#setup = setup;
    this.#conn = conn;
  }

  /** Lines of the client that stand together are sent together. */
  sendWaiting(): void {
    if (this.#waiting !== "") this.#conn.send(latin1(this.#waiting));
    this.#waiting = "";
  }

  async step({ number, kind, text }: DialogueLine): Promise<void> {
    const where = `line ${number}`;
    if (kind === "C:") this.#waiting += `${utf8AsLatin1(text)}\r\n`;
    else if (kind === "C~") this.#waiting += unescape(text);
    else this.sendWaiting();
    if (kind === "S:") assertLine(await this.#conn.readLine(), text, where);
    if (kind === "S+") await this.#checkReply(text, where);
    if (kind === "M:") this.#checkMessageLine(text, where);
    if (kind === "*") await this.#act(text, where);
  }

  async #checkReply(text: string, where: string): Promise<void> {
    const first = await this.#conn.readLine();
    assertLine(first?.replace(/^(\d{3})-/, "$1 ") ?? null, text, where);
    this.#reply = [first?.slice(4) ?? ""];
    for (let line = first; line?.[3] === "-";) {
      line = await this.#conn.readLine();
      this.#reply.push(line?.slice(4) ?? "");
    }
  }

  #offers(keyword: string): boolean {
    return this.#reply.some((line) => line.split(" ")[0] === keyword);
  }

  #checkMessageLine(text: string, where: string): void {
    const body = decodeText(this.#setup.sink.stored.at(-1)?.body ?? new Uint8Array());
    assertEquals(body.split("\r\n")[this.#messageLine++], text, where);
  }

  async #act(text: string, where: string): Promise<void> {
    const { sink, server, clock, events } = this.#setup;
    const [action = "", ...words] = text.split(" ");
    const rest = words.join(" ");
    await settle();
    if (action === "stored") this.#checkEnvelope(rest, where);
    else if (action === "extras") this.#checkExtras(rest, where);
    else if (action === "recipient") this.#checkRecipient(rest, where);
    else if (action === "expanded") this.#checkExpanded(rest, where);
    else if (action === "body") this.#checkBody(rest, where);
    else if (action === "offers") assert(this.#reply.includes(rest), `${where}: ${this.#reply}`);
    else if (action === "lacks") assert(!this.#offers(rest), `${where}: ${this.#reply}`);
    else if (action === "trace") assertLine(unfolded(sink.stored.at(-1)?.head ?? ""), rest, where);
    else if (action === "count") assertEquals(sink.stored.length, Number(rest), where);
    else if (action === "wait") await clock.advance(Number(rest.replace("s", "")) * 1000);
    else if (action === "shutdown") void server.shutdown();
    else if (action === "leave") this.#conn.leave();
    else if (action === "event") assertEquals(lastEvent(events), rest, where);
    else if (action === "closed") assertEquals(await this.#conn.readLine(), null, where);
    else throw new Error(`${where}: no such action, got "${text}"`);
  }

  #checkExtras(text: string, where: string): void {
    const { body, smtpUtf8, extras } = this.#stored(where).envelope;
    assertEquals(fieldsOf({ body, smtpUtf8, ...extras }), text, where);
  }

  #checkRecipient(text: string, where: string): void {
    const { recipients } = this.#stored(where).envelope;
    const all = recipients.map(({ domain: _, ...recipient }) => fieldsOf(recipient));
    assert(all.includes(text), `${where}: got ${JSON.stringify(all)}`);
  }

  #checkExpanded(text: string, where: string): void {
    const { expanded = [] } = this.#stored(where).envelope;
    assertEquals(expanded.map(({ domain: _, ...alias }) => fieldsOf(alias)), [text], where);
  }

  #checkBody(text: string, where: string): void {
    assertEquals(decodeLatin1(this.#stored(where).body), unescape(text), where);
  }

  #stored(where: string): StoredMessage {
    const message = this.#setup.sink.stored.at(-1);
    assert(message !== undefined, `${where}: nothing was stored`);
    return message;
  }

  #checkEnvelope(text: string, where: string): void {
    const { envelope } = this.#stored(where);
    const recipients = envelope.recipients.map(({ forwardPath }) => `<${forwardPath}>`).join(" ");
    assertEquals(`from <${envelope.reversePath}> to ${recipients}`, text, where);
    this.#messageLine = 0;
  }
}

/** `key=value` for each key, in the order of the alphabet; times are dates. */
function fieldsOf(object: object, prefix = ""): string {
  const fields = Object.entries(object).toSorted(([left], [right]) => left < right ? -1 : 1);
  return fields.map(([key, value]) => {
    if (Array.isArray(value)) return `${prefix}${key}=${value.join(",")}`;
    if (typeof value === "object" && value !== null) return fieldsOf(value, `${prefix}${key}.`);
    if (key.endsWith("Ms")) return `${prefix}${key}=${new Date(value).toISOString()}`;
    return `${prefix}${key}=${value}`;
  }).join(" ");
}

/** `<*>` stands for any text. */
function assertLine(actual: string | null, expected: string, where: string): void {
  const fits = actual !== null && expected.split("<*>").every((part, index, parts) => {
    if (index === 0 && !actual.startsWith(part)) return false;
    if (index === parts.length - 1 && !actual.endsWith(part)) return false;
    return actual.includes(part);
  });
  if (!fits || !expected.includes("<*>")) assertEquals(actual, expected, where);
}

function lastEvent(events: SessionSetup["events"]): string {
  const event = events.at(-1);
  const details = event && "reason" in event ? ` ${event.reason}` : "";
  return `${event?.type}${details}`;
}

function unfolded(field: string): string {
  return field.replace(/\r\n[\t ]/g, " ").trimEnd();
}

/** `\r`, `\n`, `\0` and `\xHH` stand for octets. */
function unescape(text: string): string {
  return utf8AsLatin1(text).replace(/\\(?:r|n|0|\\|x([0-9a-f]{2}))/gi, (escape, hex?: string) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    return { "\\r": "\r", "\\n": "\n", "\\0": "\0" }[escape] ?? "\\";
  });
}

function utf8AsLatin1(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
