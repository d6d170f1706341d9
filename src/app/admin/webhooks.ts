import type { WebhooksPort, WebhookStatus } from "../../admin/ports.ts";
import type { OutboxCall } from "../../queue/outbox.ts";
import type { WebhookSender } from "../../webhooks/sender.ts";
import type { Webhooks } from "../../webhooks/webhooks.ts";

/** Webhooks for operators. */
export function webhooksPort(webhooks: Webhooks): WebhooksPort {
  const { outbox } = webhooks;
  return {
    list: () => Promise.all(webhooks.senders.map((sender) => statusOf(sender, webhooks))),
    async log(request) {
      const { items, cursor } = await outbox.calls(request);
      return { items: items.map(callOf), cursor };
    },
    async replay(name, { fromMs }) {
      const sender = webhooks.find(name);
      if (sender === null) return false;
      await sender.replay(await outbox.placeBefore(fromMs));
      return true;
    },
  };
}

async function statusOf(
  { target: { name, url, events }, health }: WebhookSender,
  { outbox }: Webhooks,
): Promise<WebhookStatus> {
  const [reached, last] = await Promise.all([outbox.reached(name), outbox.placeBefore()]);
  return {
    name,
    url: shownUrl(url),
    events,
    waiting: reached === null ? 0 : last - reached,
    ...health,
  };
}

/** An address as whoever may look sees it: what gives the right to use it is often in its query. */
function shownUrl(address: string): string {
  const { origin, pathname, search } = new URL(address);
  return `${origin}${pathname}${search === "" ? "" : "?(not shown)"}`;
}

function callOf(
  { id, webhook, atMs, types, status, durationMs, error }: OutboxCall & { id: string },
) {
  return { id, webhook, atMs, event: types.join(", "), status, durationMs, error };
}
