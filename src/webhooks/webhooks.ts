import type { EventSink, RelayEvent } from "../observe/events.ts";
import type { Outbox } from "../queue/outbox.ts";
import { WebhookSender, type WebhookSenderOptions, type WebhookTarget } from "./sender.ts";

/** All webhooks of a relay; a reload keeps those that did not change at what they do. */
export class Webhooks implements AsyncDisposable {
  readonly #options: WebhookSenderOptions;
  #senders = new Map<string, WebhookSender>();
  #hasNews = false;
  #isAnnouncing = false;
  #announcing: Promise<void> = Promise.resolve();

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
  }

  /** Whether anybody is told of anything. */
  get isEmpty(): boolean {
    return this.#senders.size === 0;
  }

  get senders(): readonly WebhookSender[] {
    return [...this.#senders.values()];
  }

  get outbox(): Outbox {
    return this.#options.outbox;
  }

  find(name: string): WebhookSender | null {
    return this.#senders.get(name) ?? null;
  }

  /**
   * Uses these webhooks. The promise waits for the end of those that are no longer among them, and
   * until new ones are told of all that happens from then on.
   */
  async use(targets: readonly WebhookTarget[]): Promise<void> {
    const before = this.#senders;
    this.#senders = new Map();
    for (const target of targets) {
      const kept = before.get(target.name);
      if (kept !== undefined && JSON.stringify(kept.target) === JSON.stringify(target)) {
        before.delete(target.name);
        this.#senders.set(target.name, kept);
      } else this.#senders.set(target.name, new WebhookSender(target, this.#options));
    }
    await Promise.all([...before.values()].map((sender) => sender[Symbol.asyncDispose]()));
    await Promise.all([...this.#senders.values()].map((sender) => sender.start()));
  }

  /** Hears of every event: what is told of them is in the outbox, with what they are about. */
  readonly sink: EventSink = (event: RelayEvent): void => {
    if ("messageId" in event || event.type === "operated") this.look();
  };

  /** There may be news: of this process, or of others that share the store. */
  look(): void {
    if (this.isEmpty) return;
    this.#hasNews = true;
    if (!this.#isAnnouncing) this.#announcing = this.#announce();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.use([]);
    await this.#announcing;
  }

  /**
   * Wakes the senders once the news is on disk: events are told before the store has them, and it
   * takes what is written in the order in which it came.
   */
  async #announce(): Promise<void> {
    const { outbox, events } = this.#options;
    this.#isAnnouncing = true;
    try {
      while (this.#hasNews) {
        this.#hasNews = false;
        await outbox.append([]);
        for (const sender of this.#senders.values()) sender.wake();
      }
    } catch (cause) {
      const message = "Cannot look for events for webhooks";
      events({ type: "trouble", level: "error", component: "webhooks", message, cause });
    } finally {
      this.#isAnnouncing = false;
    }
  }
}
