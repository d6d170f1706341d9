import type { RouteTrace, RouteTraceWay } from "../../admin/ports.ts";
import type { DeliveryJob, Loss } from "../../delivery/transport.ts";
import { bodyFacts } from "../../mail/body_facts.ts";
import { formatReply } from "../../mail/reply.ts";
import { isAsciiText } from "../../mail/safe_text.ts";
import { RELAY_CATALOGUE, RELAY_TYPES } from "../../relay/mod.ts";

/** What becomes of a message on its way through one transport. */
export type Carriage =
  | { readonly kind: "carried"; readonly losses: readonly Loss[] }
  /** The transport cannot take it, or its route lets nothing be lost. */
  | { readonly kind: "refused"; readonly reason: string; readonly losses: readonly Loss[] };

/** A trace with what each transport would make of a message. */
export type MessageTrace = RouteTrace & {
  readonly transports: readonly (RouteTraceWay & {
    /** Null for SMTP, where the next hop decides. */
    readonly message: Carriage | null;
  })[];
};

/** Says of each transport of a trace what a message would lose there; sends nothing. */
export async function foreseeMessage(
  trace: RouteTrace,
  message: { readonly octets: Uint8Array; readonly from: string; readonly to: string },
): Promise<MessageTrace> {
  const job = jobOf({ ...message, to: trace.redirect ?? message.to });
  const transports = await Array.fromAsync(trace.transports, async (way) => ({
    ...way,
    message: await carriageBy(way, { job, rawOnly: trace.rawOnly }),
  }));
  return { ...trace, transports };
}

async function carriageBy(
  { kind, format }: Pick<RouteTraceWay, "kind" | "format">,
  { job, rawOnly }: { job: DeliveryJob; rawOnly: boolean },
): Promise<Carriage | null> {
  const type = RELAY_TYPES.find((known) => known === kind);
  if (type === undefined) return null;
  const foreseen = await RELAY_CATALOGUE[type].foresee(job, format ?? undefined);
  if (foreseen.kind === "unsuitable") {
    return { kind: "refused", reason: formatReply(foreseen.reply), losses: [] };
  }
  const { losses } = foreseen;
  if (!rawOnly || losses.length === 0) return { kind: "carried", losses };
  return { kind: "refused", reason: "raw_only lets nothing be lost", losses };
}

function jobOf(
  { octets, from, to }: { octets: Uint8Array; from: string; to: string },
): DeliveryJob {
  const domain = to.slice(to.lastIndexOf("@") + 1);
  const origin = { listener: "", clientAddress: "", clientPort: 0, helo: "", protocol: "" };
  return {
    message: {
      ...{ id: "0000000000000000", receivedAtMs: 0, expiresAtMs: 0, reversePath: from, origin },
      ...{ body: "8BITMIME", smtpUtf8: !isAsciiText(from) || !isAsciiText(to) },
      facts: bodyFacts(octets),
      summary: { subject: "", from: "", messageId: "" },
    },
    recipients: [{
      ...{ index: 0, forwardPath: to, domain, state: "queued", attempts: 0 },
      ...{ nextAttemptAtMs: 0, delayNotified: false, lastReply: "" },
    }],
    domain,
    body: {
      sizeBytes: octets.length,
      bytes: octets,
      async *stream({ from: start = 0 } = {}) {
        yield await Promise.resolve(octets.subarray(start));
      },
    },
  };
}
