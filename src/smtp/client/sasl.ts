import { encodeText } from "../../base/bytes.ts";
import type { Reply } from "../../mail/reply.ts";
import { ConnectionLost } from "./connection_lost.ts";
import type { ReplyChannel } from "./reply_channel.ts";
import { isPositive, SERVICE_CLOSING } from "./reply_class.ts";

/** The client's side of one SASL exchange (RFC 4422), without the protocol around it. */
export interface SaslExchange {
  /** As it stands in the AUTH command. */
  readonly mechanism: string;
  /** What the client says first; null where the server does. */
  readonly initial: Uint8Array | null;
  /** The answer to a challenge; null gives the exchange up. */
  respond(challenge: Uint8Array): Uint8Array | null | Promise<Uint8Array | null>;
  /** Whether the server may claim success now: it has proven itself where the mechanism wants it. */
  readonly isComplete: boolean;
}

/** What an exchange came to. */
export type AuthResult =
  | { readonly kind: "authenticated" }
  /** The server said no; the session goes on unless it took leave. */
  | { readonly kind: "refused"; readonly reply: Reply }
  /** The server broke the rules of the mechanism, as one does that does not know the secret. */
  | { readonly kind: "not_trusted" }
  | { readonly kind: "lost"; readonly lost: ConnectionLost };

const CONTINUE = 334;
/** The longest command line, and so the longest initial response (RFC 4954 section 4). */
const LONGEST_COMMAND_BYTES = 512;

/** Authenticates over `channel` (RFC 4954 section 4). */
export async function runSasl(channel: ReplyChannel, exchange: SaslExchange): Promise<AuthResult> {
  const { mechanism, initial } = exchange;
  const opening = openingLine(mechanism, initial);
  let unsaid = opening.includes(" ", "AUTH ".length) ? null : initial;
  channel.send(opening, { shown: `AUTH ${mechanism} (not recorded)\r\n` });
  for (;;) {
    const answer = await channel.reply("auth");
    if (answer instanceof ConnectionLost) return { kind: "lost", lost: answer };
    if (isPositive(answer)) return finish(channel, exchange);
    if (answer.code !== CONTINUE) return refused(channel, answer);
    const response = unsaid ?? await answerTo(exchange, answer);
    unsaid = null;
    if (response === null) return await cancel(channel);
    channel.send(`${response.toBase64()}\r\n`, { shown: "(not recorded)\r\n" });
  }
}

function openingLine(mechanism: string, initial: Uint8Array | null): string {
  const bare = `AUTH ${mechanism}\r\n`;
  if (initial === null) return bare;
  // An empty response is not the same as none (RFC 4954 section 4).
  const text = initial.length === 0 ? "=" : initial.toBase64();
  const full = `AUTH ${mechanism} ${text}\r\n`;
  return full.length > LONGEST_COMMAND_BYTES ? bare : full;
}

function answerTo(
  exchange: SaslExchange,
  { lines }: Reply,
): Uint8Array | null | Promise<Uint8Array | null> {
  const challenge = decodeBase64(lines.join(""));
  return challenge === null ? null : exchange.respond(challenge);
}

function decodeBase64(text: string): Uint8Array | null {
  try {
    return text === "" ? encodeText("") : Uint8Array.fromBase64(text);
  } catch {
    return null; // no challenge of any mechanism
  }
}

function finish(channel: ReplyChannel, exchange: SaslExchange): AuthResult {
  if (exchange.isComplete) return { kind: "authenticated" };
  channel.close();
  return { kind: "not_trusted" };
}

function refused(channel: ReplyChannel, reply: Reply): AuthResult {
  if (reply.code === SERVICE_CLOSING) channel.close();
  return { kind: "refused", reply };
}

/** RFC 4954 section 4: a line with only an asterisk, which the server answers with 501. */
async function cancel(channel: ReplyChannel): Promise<AuthResult> {
  channel.send("*\r\n");
  await channel.reply("auth");
  channel.close();
  return { kind: "not_trusted" };
}
