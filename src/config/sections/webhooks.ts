import type { z } from "zod";
import { parseIp } from "../../base/ip.ts";
import { count, duration, flag, listOf, oneOf, table, text } from "../fields.ts";
import { secret } from "../secrets.ts";
import { WEBHOOK_EVENTS } from "../../webhooks/event_types.ts";
import { durationMs } from "../units.ts";

/** Somebody who is notified of what happens to messages. */
export interface WebhookConfig {
  readonly name: string;
  readonly url: string;
  /** Key of the signature; null for none. */
  readonly secret: string | null;
  readonly events: readonly string[];
  readonly maxEvents: number;
  readonly timeoutMs: number;
  /** Whether its name may lead to a private, loopback or link-local address. */
  readonly privateAddresses: boolean;
}

const webhook = table({
  name: text({ expected: "a name", isValid: (value) => value !== "" })
    .describe("Name of the webhook; its position is stored under this name."),
  url: text({
    expected: `an address such as "https://app.example.net/mail-events"`,
    isValid: (value) => /^https?:\/\//.test(value) && URL.canParse(value),
  }).describe("URL that receives the events."),
  secret: secret(text({ expected: "a secret", isValid: (value) => value !== "" })).optional()
    .describe("Key that requests are signed with."),
  events: listOf(oneOf(WEBHOOK_EVENTS), { atLeastOne: "event" }).default([...WEBHOOK_EVENTS])
    .describe("Event types to send."),
  max_events: count().default(100).describe("Events in one request."),
  timeout: duration({ minMs: 1 }).default("30s").describe("Time limit of one request."),
  private_addresses: flag().optional().describe(
    "Allow private, loopback and link-local addresses for its host name. Default: true only " +
      "if url contains an IP address or localhost.",
  ),
});

/** The `[[webhooks]]` tables. */
export const webhooksSchema = listOf(webhook).default([])
  .describe("Webhooks that receive the events of messages.");

export function webhookConfig(doc: z.output<typeof webhook>): WebhookConfig {
  return {
    name: doc.name,
    url: doc.url,
    secret: doc.secret ?? null,
    events: doc.events,
    maxEvents: doc.max_events,
    timeoutMs: durationMs(doc.timeout),
    privateAddresses: doc.private_addresses ?? isPlainlyLocal(new URL(doc.url)),
  };
}

/** Whether who wrote the address can see what it leads to. */
function isPlainlyLocal({ hostname }: URL): boolean {
  return hostname === "localhost" || parseIp(hostname.replace(/^\[|\]$/g, "")) !== null;
}
