import type { TestRequest, TestResult } from "../../admin/ports.ts";
import { parseMailbox } from "../../mail/address.ts";
import { bodyFacts } from "../../mail/body_facts.ts";
import { composeMessage } from "../../mail/compose/compose.ts";
import type { Origin } from "../../mail/envelope.ts";
import { readHeader } from "../../mail/headers.ts";
import type { SendAgainServices } from "../../queue/send_again.ts";
import { summarize } from "../../mail/summary.ts";

/** It is made here. */
const ORIGIN: Origin = {
  ...{ listener: "local", clientAddress: "", clientPort: 0 },
  ...{ helo: "", protocol: "LOCAL" },
};
/** A test tells soon, or not at all. */
const LIFETIME_MS = 3_600_000;

/**
 * Puts a message into the queue that leaves by one transport, regardless of the routes. Nobody is
 * told when it fails but who looks at it.
 *
 * @throws StoreError as the store does.
 */
export async function putTestMessage(
  transport: string,
  { to, from, by, hostname, services }: TestRequest & {
    hostname: string;
    services: SendAgainServices;
  },
): Promise<TestResult> {
  const { store, newId, nowMs, sign } = services;
  const parsed = parseMailbox(to);
  if (parsed.kind === "error") return refused(`${to} is not a mail address: ${parsed.reason}`);
  const id = newId();
  const sender = from ?? `postmaster@${hostname}`;
  const composed = composeMessage({
    ...{ from: [{ name: "", address: sender }], to: [{ name: "", address: to }] },
    ...{ sender: null, replyTo: [], cc: [], html: null, attachments: [], headers: [] },
    subject: `Test of ${transport} by ${hostname}`,
    text: `This is a test of the transport ${transport}.\n\nRequested by ${by}.\n`,
  }, { hostname, nowMs, unique: id });
  if (composed.kind === "refused") return refused(composed.reason);
  const { bytes } = composed;
  const prefix = await sign?.(bytes, ORIGIN) ?? "";
  const facts = bodyFacts(bytes);
  await store.put({
    ...{ id, receivedAtMs: nowMs, reversePath: sender, smtpUtf8: false },
    body: facts.eightBit ? "8BITMIME" : "7BIT",
    origin: ORIGIN,
    facts: { ...facts, sizeBytes: facts.sizeBytes + prefix.length },
    summary: summarize(readHeader(bytes)),
    ...(prefix === "" ? {} : { prefix }),
    expiresAtMs: nowMs + LIFETIME_MS,
    place: { kind: "inline", bytes },
    recipients: [{
      ...{ forwardPath: to, domain: parsed.mailbox.domain, notify: ["NEVER"] },
      ...{ state: "queued", nextAttemptAtMs: nowMs, transport, released: true },
    }],
  });
  return { kind: "queued", id };
}

function refused(reason: string): TestResult {
  return { kind: "refused", reason };
}
