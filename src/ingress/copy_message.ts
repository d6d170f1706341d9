import type { Hash } from "node:crypto";
import { BodyScan } from "../mail/body_scan.ts";
import type { BodyFacts } from "../mail/envelope.ts";
import { type Reply, reply } from "../mail/reply.ts";
import { HopCounter } from "../smtp/wire/hop_counter.ts";
import type { AuthorCheck } from "./author_check.ts";
import type { PartWriter } from "./batch_sink.ts";
import type { SubmittedMessage } from "./submission.ts";

const TOO_LARGE = reply(552, "5.3.4", "Message is larger than allowed");
const LOOP = reply(554, "5.4.6", "Routing loop detected");
const VIOLATIONS = {
  bare_cr: reply(554, "5.6.0", "Message has CR without LF; lines end with CRLF"),
  nul: reply(554, "5.6.0", "Message has a NUL octet"),
} as const;

/** Where the octets go, and what they may be. */
export interface CopyTarget {
  readonly writer: PartWriter;
  /** Takes them, too. */
  readonly hash: Hash;
  readonly authors: AuthorCheck;
  /** Octets of a message; 0 for no limit. */
  readonly messageBytes: number;
  readonly hops: number;
}

/** What was learnt of the octets, or why they are refused. */
export type Copied =
  | { readonly kind: "copied"; readonly facts: BodyFacts }
  | { readonly kind: "refused"; readonly reply: Reply };

/** Passes the octets of a message on, its lines ended by CRLF. */
export async function copyMessage(
  message: SubmittedMessage["message"],
  { writer, hash, authors, messageBytes, hops }: CopyTarget,
): Promise<Copied> {
  const scan = new BodyScan();
  const counter = new HopCounter();
  const pass = async (pieces: readonly Uint8Array[]): Promise<Reply | null> => {
    for (const piece of pieces) {
      hash.update(piece);
      authors.take(piece);
      counter.scan(piece);
      const pending = writer.write(piece);
      if (pending instanceof Promise) await pending;
    }
    if (scan.violation !== null) return VIOLATIONS[scan.violation];
    if (messageBytes > 0 && scan.sizeBytes > messageBytes) return TOO_LARGE;
    return counter.count > hops ? LOOP : null; // RFC 5321 6.3
  };
  for await (const chunk of message instanceof Uint8Array ? [message] : message) {
    const refusal = await pass(scan.take(chunk));
    if (refusal !== null) return { kind: "refused", reply: refusal };
  }
  const refusal = await pass(scan.end()) ?? authors.refusal();
  return refusal === null
    ? { kind: "copied", facts: scan.facts }
    : { kind: "refused", reply: refusal };
}
