/**
 * Reads and plays the text dialogues of `tests/dialogues/`; the README there tells the notation.
 */
import { assert, assertEquals } from "@std/assert";
import { decodeText } from "../../../src/base/bytes.ts";
import { reply } from "../../../src/mail/reply.ts";
import { ACCEPT, refuse } from "../../../src/policy/decision.ts";
import { EXTENSIONS } from "../../../src/smtp/server/extensions/mod.ts";
import { OPEN_POLICY } from "../../../src/smtp/server/policy.ts";
import type { SmtpServerOptions } from "../../../src/smtp/server/server.ts";
import { settle } from "../../support/manual_clock.ts";
import type { MemoryConn } from "./memory_conn.ts";
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
  const settings = lines.filter(({ kind }) => kind === "!").map(({ text }) => text);
  const setup = sessionSetup(serverOptions(settings));
  await using _end = setup;
  applySinkSettings(setup, settings);
  const { conn, done } = setup.connect(setting(settings, "client") ?? "192.0.2.1");
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
    for (let line = first; line?.[3] === "-";) line = await this.#conn.readLine();
  }

  #checkMessageLine(text: string, where: string): void {
    const body = decodeText(this.#setup.sink.stored.at(-1)?.body ?? new Uint8Array());
    assertEquals(body.split("\r\n")[this.#messageLine++], text, where);
  }

  async #act(text: string, where: string): Promise<void> {
    const { sink, server, clock, events } = this.#setup;
    const [action = "", ...words] = text.split(" ");
    const rest = words.join(" ");
    if (action === "stored") this.#checkEnvelope(rest, where);
    else if (action === "trace") assertLine(unfolded(sink.stored.at(-1)?.head ?? ""), rest, where);
    else if (action === "count") assertEquals(sink.stored.length, Number(rest), where);
    else if (action === "wait") await clock.advance(Number(rest.replace("s", "")) * 1000);
    else if (action === "shutdown") void server.shutdown();
    else if (action === "leave") this.#conn.leave();
    else if (action === "event") assertEquals(lastEvent(events), rest, where);
    else if (action === "closed") assertEquals(await this.#conn.readLine(), null, where);
    else throw new Error(`${where}: no such action, got "${text}"`);
  }

  #checkEnvelope(text: string, where: string): void {
    const { envelope } = this.#setup.sink.stored.at(-1) ?? {};
    assert(envelope !== undefined, `${where}: nothing was stored`);
    const recipients = envelope.recipients.map(({ forwardPath }) => `<${forwardPath}>`).join(" ");
    assertEquals(`from <${envelope.reversePath}> to ${recipients}`, text, where);
    this.#messageLine = 0;
  }
}

function serverOptions(settings: readonly string[]): Partial<SmtpServerOptions> {
  const limits = settings.filter((text) => text.startsWith("limit "))
    .map((text) => [text.split(" ")[1], Number(text.split(" ")[2])]);
  const offered = setting(settings, "extensions")?.split(" ");
  const refusal = setting(settings, "connect")?.match(/^(\d+) (\d\.\d\.\d) (.*)$/);
  const policy = { ...OPEN_POLICY, connect: () => connectDecision(refusal) };
  return {
    limits: Object.fromEntries(limits),
    ...(offered && { extensions: EXTENSIONS.filter(({ name }) => offered.includes(name)) }),
    ...(refusal && { policy }),
  };
}

function connectDecision(refusal: RegExpMatchArray | null | undefined) {
  if (!refusal) return ACCEPT;
  const [, code, enhanced, text = ""] = refusal;
  return refuse(reply(Number(code), enhanced as `5.${number}.${number}`, text));
}

function applySinkSettings({ sink }: SessionSetup, settings: readonly string[]): void {
  const failure = setting(settings, "sink");
  if (failure === "full" || failure === "unavailable") sink.result = { kind: "failed", failure };
}

function setting(settings: readonly string[], name: string): string | undefined {
  return settings.find((text) => text.startsWith(`${name} `))?.slice(name.length + 1);
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
