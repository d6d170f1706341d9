import { escapeControls } from "../mail/safe_text.ts";
import { formatDuration, formatSize } from "./quantities.ts";
import type {
  DestinationEvent,
  FeedbackKind,
  MessageEvent,
  RelayEvent,
  ServiceEvent,
  SessionEvent,
} from "./events.ts";

/**
 * An event in one line of plain English, without the id of its message. What came from elsewhere
 * is escaped, so the line is one line and does nothing to a terminal.
 */
export function describe(event: RelayEvent): string {
  return escapeControls(sentence(event));
}

/** The cause of a failure in a few words, with those behind it; never a stack. */
export function describeCause(cause: unknown): string {
  const words: string[] = [];
  for (let current = cause; current !== undefined && words.length < 5;) {
    words.push(current instanceof Error ? `${current.name}: ${current.message}` : String(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return words.join("; because of ");
}

function sentence(event: RelayEvent): string {
  switch (event.type) {
    case "session_opened":
    case "session_closed":
    case "session_secured":
    case "authenticated":
    case "client_named":
    case "command_refused":
      return sessionSentence(event);
    case "destination_down":
    case "destination_up":
      return destinationSentence(event);
    case "listening":
    case "started":
    case "reloaded":
    case "draining":
    case "stopped":
    case "operated":
    case "trouble":
      return serviceSentence(event);
    default:
      return messageSentence(event);
  }
}

function sessionSentence(event: SessionEvent): string {
  const { clientAddress, listener } = event;
  switch (event.type) {
    case "session_opened":
      return `session opened on ${listener} by ${clientAddress} port ${event.clientPort}`;
    case "session_closed": {
      const messages = event.messages ?? 0;
      const count = `${messages} ${messages === 1 ? "message" : "messages"}`;
      return `session on ${listener} with ${clientAddress} closed after ${count}` +
        after(": ", event.reason) + inBrackets(event.cause);
    }
    case "session_secured":
      return `session on ${listener} with ${clientAddress} uses ${event.tls}` +
        after(", client certificate ", event.clientCertificate) + after(", user ", event.user);
    case "authenticated":
      return `${event.user} authenticated on ${listener} from ${clientAddress} ` +
        `by ${event.mechanism}` + after(", device ", event.device);
    case "client_named": {
      const said = Object.entries(event.attributes).map((pair) => pair.join("="));
      return `${event.by} declares its client on ${listener} by ${event.command}: ${
        said.join(" ")
      }`;
    }
    case "command_refused":
      return `${event.verb} from ${clientAddress} on ${listener} refused: ${event.reply}` +
        inBrackets(event.cause);
  }
}

type OutcomeEvent = Extract<MessageEvent, { readonly delayMs: number }>;
type FeedbackEvent = Extract<MessageEvent, { readonly type: "feedback" }>;

const FEEDBACK_WORDS: Readonly<Record<FeedbackKind, string>> = {
  delivered: "final delivery to",
  deferred: "delayed for",
  bounced: "hard bounce from",
  soft_bounced: "soft bounce from",
  complained: "complaint from",
  unsubscribed: "unsubscribed:",
};

const OUTCOME_WORDS: Readonly<Record<OutcomeEvent["type"], string>> = {
  delivered: "delivered to",
  deferred: "deferred for",
  bounced: "bounced for",
  expired: "expired for",
  uncertain: "maybe delivered to",
  suppressed: "suppressed, not sent to",
};

function messageSentence(event: MessageEvent): string {
  switch (event.type) {
    case "accepted": {
      const { reversePath, recipients, sizeBytes, clientAddress, listener } = event;
      const count = `${recipients} ${recipients === 1 ? "recipient" : "recipients"}`;
      const from = clientAddress === "" ? "" : ` from ${clientAddress}`;
      return `accepted on ${listener}${from}: sender <${reversePath}>, ${count}, ` +
        formatSize(sizeBytes);
    }
    case "refused":
      return `refused on ${event.listener} from ${event.clientAddress}: ` +
        `sender <${event.reversePath}>, answered ${event.reply}${inBrackets(event.cause)}`;
    case "notified":
      return `<${event.to}> is notified of "${event.action}" by ${event.notificationId}`;
    case "held":
    case "released":
    case "retried":
    case "cancelled":
    case "returned":
    case "rerouted":
    case "readdressed":
    case "deleted":
      return `${event.type} by ${event.by}${after(": ", event.reason)}`;
    case "feedback":
      return feedbackSentence(event);
    default:
      return outcomeSentence(event);
  }
}

function outcomeSentence(event: OutcomeEvent): string {
  const { type, recipient, transport, remote, tls, delayMs, attempts, reply } = event;
  const how = remote === "" ? transport : `${transport}, ${remote}`;
  const next = event.nextAttemptAtMs === undefined
    ? ""
    : `, next attempt ${formatTime(event.nextAttemptAtMs)}`;
  return `${OUTCOME_WORDS[type]} <${recipient}> (${how}${after(", ", tls)}) after ` +
    `${formatDuration(delayMs)}, attempt ${attempts}${next}: ${reply}`;
}

function feedbackSentence(event: FeedbackEvent): string {
  const { kind, recipient, source, reason, suppressed } = event;
  const then = suppressed ? ", now suppressed" : "";
  return `${FEEDBACK_WORDS[kind]} <${recipient}>${then}, reported by ` +
    `${source}${after(": ", reason)}`;
}

function destinationSentence(event: DestinationEvent): string {
  const { type, transport, destination, reason, retryAtMs } = event;
  const state = type === "destination_down" ? "is down" : "is up again";
  const next = retryAtMs === undefined ? "" : `, next attempt ${formatTime(retryAtMs)}`;
  return `${destination} ${state} (${transport})${next}: ${reason}`;
}

function serviceSentence(event: ServiceEvent): string {
  switch (event.type) {
    case "listening":
      return `listening on ${event.address} (${event.listener})`;
    case "operated":
      return `${event.by} ${event.action} ${event.target}${after(": ", event.reason)}`;
    case "trouble": {
      const cause = event.cause === undefined ? undefined : describeCause(event.cause);
      return `${event.component}: ${event.message}${inBrackets(cause)}`;
    }
    default:
      return `${event.type}${after(": ", event.detail)}`;
  }
}

function after(mark: string, text: string | undefined): string {
  return text === undefined || text === "" ? "" : `${mark}${text}`;
}

function inBrackets(text: string | undefined): string {
  return text === undefined || text === "" ? "" : ` (${text})`;
}

/** To the second, in UTC. */
function formatTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
