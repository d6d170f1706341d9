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

/** One message for one server. */
export interface SubmitRequest {
  /** Name or IP address without brackets; no MX records are looked up. */
  readonly host: string;
  readonly port: number;
  /** The argument of EHLO. */
  readonly heloName: string;
  /** Empty for the null reverse-path. */
  readonly reversePath: string;
  /** At least one. */
  readonly recipients: readonly string[];
  /** With CRLF line ends, the last one included. */
  readonly bytes: Uint8Array;
  /** Limit of each step of the dialogue. */
  readonly timeoutMs: number;
}

/** What the server made of it. */
export type SubmitResult =
  | {
    readonly kind: "sent";
    readonly accepted: readonly { readonly recipient: string; readonly reply: string }[];
    readonly refused: readonly { readonly recipient: string; readonly reply: string }[];
  }
  /** There was no session, or it ended before the message was taken by anybody. */
  | { readonly kind: "failed"; readonly reason: string };

/** Connects, sends the message and takes leave. `tell` hears each line of the dialogue. */
export async function submit(
  request: SubmitRequest,
  { deadlines, tell }: { deadlines: Deadlines; tell: (line: DialogueLine) => void },
): Promise<SubmitResult> {
  const connected = await connect(request);
  if (connected.kind === "failed") return connected;
  const { timeoutMs, heloName } = request;
  const { signal } = new AbortController();
  const opened = await SmtpClient.open(new DialogueConn(connected.conn, tell), {
    heloName,
    deadlines,
    timeoutsMs: Object.fromEntries(STAGES.map((stage) => [stage, timeoutMs])) as StageTimeouts,
    signal,
  });
  if (opened.kind === "lost") return failed(describeLoss(opened.lost));
  if (opened.kind === "refused") {
    return failed(`the server refused the session: ${formatReply(opened.reply)}`);
  }
  const result = await transact(opened.client, { request, signal });
  await opened.client.quit();
  return result;
}

async function connect(
  { host, port, timeoutMs }: SubmitRequest,
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

async function transact(
  client: SmtpClient,
  { request, signal }: { request: SubmitRequest; signal: AbortSignal },
): Promise<SubmitResult> {
  const { reversePath, recipients, bytes } = request;
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
  }, { signal });
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

type Failed = Extract<SubmitResult, { kind: "failed" }>;

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
  out_of_step: "the server did not answer in SMTP",
  aborted: "the attempt was given up",
} as const;

function describeLoss({ cause, stage }: ConnectionLost): string {
  return `${LOSSES[cause]} (${stage})`;
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
