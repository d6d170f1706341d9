/** What can be told to webhooks. */
export const WEBHOOK_EVENTS = [
  "accepted",
  "deferred",
  "delivered",
  "bounced",
  "expired",
  "held",
  "suppressed",
  "complained",
  "unsubscribed",
] as const;
export type WebhookEventType = typeof WEBHOOK_EVENTS[number];
