import { systemClock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import { bodyFacts } from "../mail/body_facts.ts";
import { formatReply } from "../mail/reply.ts";
import type { Conn } from "../net/conn.ts";
import { dial } from "../net/dial.ts";
import { createResolver } from "../net/resolver.ts";
import type { Capabilities } from "../smtp/client/capabilities.ts";
import { SmtpClient } from "../smtp/client/client.ts";
import type { ConnectionLost } from "../smtp/client/connection_lost.ts";
import { STAGES, type StageTimeouts } from "../smtp/client/stage.ts";
import type { RecipientResult } from "../smtp/client/transaction.ts";
import { DialogueConn, type DialogueLine } from "./dialogue.ts";

/** A server and how to speak with it. */
export interface Submission {
  /** Name or IP address without brackets; no MX records are looked up. */
  readonly host: string;
  readonly port: number;
  /** The argument of EHLO. */
  readonly heloName: string;
  /** Limit of each step of the dialogue. */
  readonly timeoutMs: number;
  readonly deadlines: Deadlines;
  /** Hears each line of the dialogue. */
  readonly tell?: (line: DialogueLine) => void;
}

/** One message with its envelope. */
export interface Letter {
  /** Empty for the null reverse-path. */
  readonly reversePath: string;
  /** At least one. */
  readonly recipients: readonly string[];
  /** With CRLF line ends, the last one included. */
  readonly bytes: Uint8Array;
}

/** What the server made of a message, recipient by recipient. */
export interface SentResult {
  readonly kind: "sent";
  readonly accepted: readonly { readonly recipient: string; readonly reply: string }[];
  readonly refused: readonly { readonly recipient: string; readonly reply: string }[];
}

/** There was no session. */
export interface Failed {
  readonly kind: "failed";
  readonly reason: string;
}

/** Connects, sends one message and takes leave. */
export async function submit(
  submission: Submission,
  letter: Letter,
): Promise<SentResult | Failed> {
  const opened = await openSession(submission);
  if (opened.kind === "failed") return opened;
  const result = await sendLetter(opened.client, letter);
  await opened.client.quit();
  return result;
}

/** Connects to the server and introduces itself. */
export async function openSession(
  submission: Submission,
): Promise<{ readonly kind: "open"; readonly client: SmtpClient } | Failed> {
  const { timeoutMs, heloName, deadlines, tell } = submission;
  const connected = await connect(submission);
  if (connected.kind === "failed") return connected;
  const { conn } = connected;
  const opened = await SmtpClient.open(tell === undefined ? conn : new DialogueConn(conn, tell), {
    heloName,
    deadlines,
    timeoutsMs: Object.fromEntries(STAGES.map((stage) => [stage, timeoutMs])) as StageTimeouts,
    signal: new AbortController().signal,
  });
  if (opened.kind === "lost") return failed(describeLoss(opened.lost));
  if (opened.kind === "open") return opened;
  return failed(`the server refused the session: ${formatReply(opened.reply)}`);
}

/** Runs one transaction in an open session. */
export async function sendLetter(client: SmtpClient, letter: Letter): Promise<SentResult> {
  const { reversePath, recipients, bytes } = letter;
  const { sizeBytes, dotLines, eightBit } = bodyFacts(bytes);
  const { recipients: results } = await client.transact({
    reversePath,
    mailParameters: mailParameters(client.capabilities, {
      sizeBytes,
      eightBit,
      paths: [reversePath, ...recipients],
    }),
    recipients: recipients.map((forwardPath) => ({ forwardPath, parameters: [] })),
    data: { sizeBytes, dotLines, bytes, stream: () => streamOf(bytes) },
  }, { signal: new AbortController().signal });
  const told = results.map((result, index) => ({
    recipient: recipients[index] ?? "",
    isAccepted: result.kind === "reply" && result.reply.code < 300,
    reply: describeResult(result),
  }));
  const without = ({ recipient, reply }: typeof told[number]) => ({ recipient, reply });
  return {
    kind: "sent",
    accepted: told.filter(({ isAccepted }) => isAccepted).map(without),
    refused: told.filter(({ isAccepted }) => !isAccepted).map(without),
  };
}

async function connect(
  { host, port, timeoutMs }: Submission,
): Promise<{ readonly kind: "connected"; readonly conn: Conn } | Failed> {
  using resolver = createResolver();
  const answer = await resolver.addresses(host);
  if (answer.kind !== "found") return failed(`${host} has no address`);
  const reasons: string[] = [];
  for (const { address } of answer.records) {
    const result = await dial({ address, port }, { timeoutMs, clock: systemClock });
    if (result.kind === "connected") return result;
    reasons.push(`${address} port ${port}: ${result.reason}`);
  }
  return failed(reasons.join("; "));
}

/** The parameters of MAIL that the message needs and the server offers. */
function mailParameters(
  { size, eightBitMime, smtpUtf8 }: Capabilities,
  { sizeBytes, eightBit, paths }: {
    sizeBytes: number;
    eightBit: boolean;
    paths: readonly string[];
  },
): string[] {
  const isInternational = paths.some((path) => !/^[\x20-\x7e]*$/.test(path));
  return [
    ...size ? [`SIZE=${sizeBytes}`] : [], // RFC 1870 section 5
    ...eightBit && eightBitMime ? ["BODY=8BITMIME"] : [], // RFC 6152 section 2
    ...isInternational && smtpUtf8 ? ["SMTPUTF8"] : [], // RFC 6531 section 3.4
  ];
}

function failed(reason: string): Failed {
  return { kind: "failed", reason };
}

function describeResult(result: RecipientResult): string {
  return result.kind === "reply" ? formatReply(result.reply) : describeLoss(result.lost);
}

const LOSSES = {
  closed: "the server closed the connection",
  reset: "the connection broke",
  timeout: "the server took too long",
  out_of_step: "the server does not speak SMTP",
  tls: "the TLS handshake failed",
  aborted: "the attempt was given up",
} as const;

function describeLoss({ cause, stage }: ConnectionLost): string {
  return `${LOSSES[cause]} (${stage})`;
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
