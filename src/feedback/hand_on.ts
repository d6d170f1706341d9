import { concatBytes } from "../base/bytes.ts";
import { parseMailbox } from "../mail/address.ts";
import type { BodyPlace, MessageRecord, NewMessage, QueueStore } from "../queue/store.ts";

/** What handing a message on needs. */
export interface HandOnServices {
  readonly store: QueueStore;
  readonly newId: () => string;
  readonly nowMs: number;
  /** How long the delivery is tried. */
  readonly lifetimeMs: number;
  /** Larger messages stand in spool files. */
  readonly spoolThresholdBytes: number;
}

/** Where a message is and where it goes on to. */
export interface HandOnRequest {
  readonly message: MessageRecord;
  readonly octets: AsyncIterable<Uint8Array>;
  readonly to: string;
}

/**
 * Puts a message that came back into the queue once more, for somebody else, from the sender that
 * it has, which for a bounce is nobody. Returns its queue id when it is on disk; null when `to` is
 * no mailbox.
 *
 * @throws StoreError as the store does.
 */
export async function handOn(
  { message, octets, to }: HandOnRequest,
  services: HandOnServices,
): Promise<string | null> {
  const parsed = parseMailbox(to);
  if (parsed.kind === "error") return null;
  const { store, newId, nowMs, lifetimeMs } = services;
  const { prefix: _prefix, route: _route, extras: _extras, ...record } = message;
  const handedOn: NewMessage = {
    ...record,
    id: newId(),
    receivedAtMs: nowMs,
    expiresAtMs: nowMs + lifetimeMs,
    origin: { listener: "local", clientAddress: "", clientPort: 0, helo: "", protocol: "LOCAL" },
    place: await placeOf(octets, { sizeBytes: message.facts.sizeBytes, services }),
    recipients: [{
      forwardPath: to,
      domain: parsed.mailbox.domain,
      notify: ["NEVER"],
      state: "queued",
      nextAttemptAtMs: nowMs,
    }],
  };
  await store.put(handedOn);
  return handedOn.id;
}

async function placeOf(
  octets: AsyncIterable<Uint8Array>,
  { sizeBytes, services: { store, spoolThresholdBytes } }: {
    sizeBytes: number;
    services: HandOnServices;
  },
): Promise<BodyPlace> {
  if (sizeBytes <= spoolThresholdBytes) {
    return { kind: "inline", bytes: concatBytes(await Array.fromAsync(octets)) };
  }
  const spool = store.spool();
  try {
    for await (const chunk of octets) await spool.write(chunk);
    return { kind: "spool", name: await spool.finish() };
  } catch (error) {
    await spool.discard();
    throw error;
  }
}
