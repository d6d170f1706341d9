import { parseIp } from "../../base/ip.ts";
import type { EnhancedCode } from "../../mail/enhanced_code.ts";
import { formatReply, type Reply, reply } from "../../mail/reply.ts";
import type { DialFailure } from "../../net/dial.ts";
import type { DnsTrouble } from "../../net/resolver.ts";
import type { ConnectionLost } from "../../smtp/client/connection_lost.ts";
import type { OpenFailure } from "../../smtp/client/client.ts";
import type { TlsProblem } from "../tls/judge.ts";
import type { RecipientResult } from "../../smtp/client/transaction.ts";
import type { Outcome, RemoteHop } from "../transport.ts";

/** What one session says of one recipient. */
export interface Verdict {
  readonly outcome: Outcome;
  /**
   * Who may be asked again in this attempt: `here` for the same server in another transaction,
   * `elsewhere` for another host, because this one has taken leave or broke off.
   */
  readonly next: "here" | "elsewhere" | null;
}

/** Attempts that this side gave up, because it stops, are due at once and do not count. */
export const GIVEN_UP: Outcome = {
  kind: "temporary",
  reply: reply(451, "4.3.2", "Attempt was cancelled"),
  counts: false,
  retryAfterMs: 0,
};

/** Judges what a transaction came to for one recipient. */
export function judge(
  result: RecipientResult,
  { hop, ...earlier }: {
    hop: RemoteHop;
    /** Whether the server took another recipient before this one. */
    accepted: boolean;
    /** Whether this one was too many for an earlier transaction. */
    wasTooMany: boolean;
  },
): Verdict {
  if (result.kind === "reply") return judgeReply(result, earlier);
  const outcome = judgeLoss(result.lost, hop);
  if (result.kind === "lost") {
    return { outcome, next: result.lost.cause === "aborted" ? null : "elsewhere" };
  }
  return { outcome: { kind: "uncertain", reply: outcome.reply }, next: null };
}

function judgeReply(
  result: RecipientResult & { kind: "reply" },
  { accepted, wasTooMany }: { accepted: boolean; wasTooMany: boolean },
): Verdict {
  const { stage, reply } = result;
  const { code } = reply;
  if (code === 421) {
    const outcome = { kind: "temporary", reply, fromPeer: true } as const;
    return { outcome, next: stage === "dot" ? null : "elsewhere" };
  }
  if (code < 300) return { outcome: { kind: "delivered", reply }, next: null };
  const isTooMany = isTooManyRecipients(result);
  // Whom a server refuses before all others is not one too many, regardless of what it says.
  const isMisnamed = isTooMany && (accepted || wasTooMany || namesTooMany(reply));
  const kind = code < 500 || isMisnamed ? "temporary" : "permanent";
  return { outcome: { kind, reply, fromPeer: true }, next: isTooMany && accepted ? "here" : null };
}

/**
 * Whether a recipient may be refused because there are too many: by 452, by 552 from servers that
 * mean 452 (RFC 5321 4.5.3.1.10), or by the enhanced code for it (RFC 3463 3.6).
 */
function isTooManyRecipients(result: RecipientResult): boolean {
  if (result.kind !== "reply" || result.stage !== "rcpt") return false;
  const { code, enhanced } = result.reply;
  return enhanced === undefined ? code === 452 || code === 552 : namesTooMany(result.reply);
}

function namesTooMany({ enhanced }: Reply): boolean {
  return enhanced === "4.5.3" || enhanced === "5.5.3";
}

/**
 * How many recipients a server takes at once, as far as a transaction shows: the number that it
 * took before all others were too many. Null when it refused some without such a rule, and
 * undefined when none was too many.
 */
export function takenAtOnce(results: readonly RecipientResult[]): number | null | undefined {
  const first = results.findIndex(isTooManyRecipients);
  if (first < 0) return undefined;
  if (!results.slice(first).every(isTooManyRecipients)) return null;
  const isTaken = ({ kind, ...result }: RecipientResult) =>
    kind !== "reply" || !("stage" in result) || result.stage !== "rcpt";
  return results.slice(0, first).filter(isTaken).length || null;
}

function judgeLoss(lost: ConnectionLost, hop: RemoteHop): Outcome {
  if (lost.cause === "aborted") return GIVEN_UP;
  const reply = lossReply(lost, hop);
  // A server that breaks off in the middle may do so because of this message only.
  const inside = lost.stage === "rcpt" || lost.stage === "data" || lost.stage === "body";
  const ofMessage = inside && (lost.cause === "closed" || lost.cause === "reset");
  return ofMessage ? { kind: "temporary", reply } : { kind: "broken", scope: "destination", reply };
}

const LOSS_TEXT = {
  closed: "closed the connection",
  reset: "broke the connection",
  timeout: "did not answer in time",
  out_of_step: "sent something that is no reply",
  tls: "failed the TLS handshake",
  aborted: "was given up",
} as const;

const STAGE_TEXT = {
  greeting: "before its greeting",
  hello: "after EHLO",
  starttls: "after STARTTLS",
  auth: "after AUTH",
  mail: "after MAIL",
  rcpt: "after RCPT",
  data: "after DATA",
  body: "while it received the message",
  dot: "after the end of the message",
  rset: "after RSET",
  quit: "after QUIT",
} as const;

function lossReply({ stage, cause }: ConnectionLost, hop: RemoteHop): Reply {
  const enhanced = cause === "out_of_step" ? "4.5.0" : "4.4.2"; // RFC 3463 3.5 and 3.6
  return reply(451, enhanced, `${formatHop(hop)} ${LOSS_TEXT[cause]} ${STAGE_TEXT[stage]}`);
}

/** Judges a session that did not open (RFC 5321 3.1 and 5.1: another host may be asked). */
export function judgeOpening(result: OpenFailure, hop: RemoteHop): Outcome {
  if (result.kind === "lost") return judgeLoss(result.lost, hop);
  // 4xx asks for less or later of a server that works; 5xx says it will never serve this relay.
  if (result.reply.code < 500) {
    return { kind: "temporary", reply: result.reply, fromPeer: true };
  }
  const text = `${formatHop(hop)} refused the session: ${formatReply(result.reply)}`;
  return broken(reply(451, asTransient(result.reply.enhanced) ?? "4.3.2", text));
}

/** Judges a connection that is not what its policy asks for: another host may be. */
export function judgeTlsProblem({ type, text }: TlsProblem, hop: RemoteHop): Outcome {
  // RFC 3463 3.8: security features not supported, cryptographic failure
  const enhanced = type === "starttls-not-supported" ? "4.7.4" : "4.7.5";
  return broken(reply(451, enhanced, `${formatHop(hop)} ${text}`));
}

/** Judges a connection that did not come about. */
export function judgeDial(
  { kind, reason }: { kind: DialFailure; reason: string },
  hop: RemoteHop,
): Outcome {
  if (kind === "aborted") return GIVEN_UP;
  const { via } = hop;
  const way = via === undefined ? "" : ` through ${via}`;
  const why = via === undefined ? DIAL_TEXT[kind] ?? reason : reason;
  const text = `Cannot connect to ${formatHop(hop)}${way}: ${why}`;
  if (!ON_THIS_SIDE.has(kind)) return broken(reply(451, "4.4.1", text)); // RFC 3463 3.5: no answer from host
  return { kind: "broken", scope: "transport", reply: reply(451, "4.3.5", text) };
}

/**
 * What keeps the transport from all hosts alike. What may come of one host, its addresses or the
 * way to it is the destination's, or one domain would stop the mail of all.
 */
const ON_THIS_SIDE: ReadonlySet<DialFailure> = new Set<DialFailure>([
  "local_address",
  "not_permitted",
  "exhausted",
  "proxy",
]);

const DIAL_TEXT: Partial<Record<DialFailure, string>> = {
  refused: "connection refused",
  timeout: "no answer in time",
  unreachable: "host unreachable",
  prohibited: "a router, a firewall or the mode of the socket prohibits it",
  local_address: "the address to connect from is not on this machine",
  not_permitted: "this process may not connect there",
  exhausted: "this machine is out of connections or descriptors",
};

/** The server is this relay, or has taken its name; nothing is lost while somebody finds out. */
export function loopsBack(hop: RemoteHop): Outcome {
  const text = `${formatHop(hop)} uses the HELO name of this relay: mail would loop`;
  return broken(reply(451, "4.4.6", text)); // RFC 3463 3.5: routing loop detected
}

/** The destination cannot be reached; `reply` has a 4xx code. */
export function broken(reply: Reply): Outcome {
  return { kind: "broken", scope: "destination", reply };
}

/** The DNS could not tell. */
export function lookupFailed(name: string, trouble: DnsTrouble): Outcome {
  const text = `Cannot look up ${name}: ${trouble.replace("_", " ")}`;
  return { kind: "temporary", reply: reply(451, "4.4.3", text) }; // RFC 3463 3.5
}

/** A hop as people read it. */
export function formatHop({ host, address, port }: RemoteHop): string {
  if (port === 0) return host; // the path of a Unix socket
  if (host !== address) return `${host}[${address}]:${port}`;
  return parseIp(host) === null ? `${host}:${port}` : `[${address}]:${port}`;
}

function asTransient(enhanced: EnhancedCode | undefined): EnhancedCode | null {
  return enhanced === undefined ? null : `4${enhanced.slice(1)}` as EnhancedCode;
}
