import type { EventSink, RelayEvent } from "../../observe/events.ts";

/** Counts what happens in the demo's relay, from its events. */
export class Tally {
  /** Messages that the relay took from the demo's senders. */
  messages = 0;
  /** Their recipients. */
  recipients = 0;
  delivered = 0;
  /** Times that a recipient was put off. */
  deferred = 0;
  bounced = 0;
  /** Notifications sent back, and those of them that arrived. */
  notifications = 0;
  notificationsDelivered = 0;
  /** A message that was deferred. */
  deferredId: string | null = null;
  /** Called after each event. */
  onChange: () => void = () => {};
  readonly #bouncedIds = new Set<string>();
  readonly #notificationIds = new Set<string>();
  #onDone: (() => void) | null = null;

  /** Hears the relay's events. */
  readonly sink: EventSink = (event) => {
    this.#count(event);
    this.onChange();
    if (this.#isDone()) this.#onDone?.();
  };

  /** Recipients for whom nothing is left to do. */
  get settled(): number {
    return this.delivered + this.bounced;
  }

  /** Resolves when all that was accepted so far has arrived or was reported to its sender. */
  whenDone(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isDone()) resolve();
      else this.#onDone = resolve;
    });
  }

  #isDone(): boolean {
    return this.settled >= this.recipients &&
      this.notificationsDelivered >= this.#bouncedIds.size;
  }

  #count(event: RelayEvent): void {
    switch (event.type) {
      case "accepted":
        this.messages++;
        this.recipients += event.recipients;
        break;
      case "notified":
        this.notifications++;
        this.#notificationIds.add(event.notificationId);
        break;
      case "delivered":
        if (this.#notificationIds.has(event.messageId)) this.notificationsDelivered++;
        else this.delivered++;
        break;
      case "deferred":
        this.deferred++;
        this.deferredId ??= event.messageId;
        break;
      case "bounced":
      case "expired":
        this.bounced++;
        this.#bouncedIds.add(event.messageId);
        break;
    }
  }
}
