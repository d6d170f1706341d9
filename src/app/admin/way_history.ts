import type { Clock } from "../../base/clock.ts";
import type { TransportStatus } from "../../admin/ports.ts";
import type { EventSink, RelayEvent } from "../../observe/events.ts";

/** Destinations that are remembered; those that were quiet longest are forgotten. */
const MAX_DESTINATIONS = 5_000;

/** What is known of the past of a transport or a destination. */
export interface WayPast {
  readonly lastError: { readonly text: string; readonly atMs: number } | null;
  readonly lastSuccessAtMs: number | null;
}

type Outcomes = { -readonly [Key in keyof TransportStatus["outcomes"]]: number };

const NOTHING: WayPast = { lastError: null, lastSuccessAtMs: null };

/** Remembers, from the events, how transports and destinations did. */
export class WayHistory {
  readonly #clock: Clock;
  readonly #transports = new Map<string, WayPast>();
  readonly #outcomes = new Map<string, Outcomes>();
  readonly #destinations = new Map<string, WayPast>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Takes an event. */
  readonly sink: EventSink = (event: RelayEvent): void => {
    switch (event.type) {
      case "delivered":
        this.#count(event.transport, "delivered");
        return this.#note(event, { lastSuccessAtMs: this.#clock.now() });
      case "deferred":
      case "uncertain":
        this.#count(event.transport, event.type);
        return this.#note(event, { lastError: this.#error(event.reply) });
      case "bounced":
      case "expired":
        this.#count(event.transport, "bounced");
        return this.#note(event, { lastError: this.#error(event.reply) });
      case "destination_down":
        return this.#note(event, { lastError: this.#error(event.reason) });
    }
  };

  transport(name: string): WayPast {
    return this.#transports.get(name) ?? NOTHING;
  }

  /** Outcomes of a transport since the start. */
  outcomes(transport: string): Readonly<Outcomes> {
    return this.#outcomes.get(transport) ?? noOutcomes();
  }

  destination(transport: string, name: string): WayPast {
    return this.#destinations.get(`${transport}\0${name}`) ?? NOTHING;
  }

  #error(text: string): { text: string; atMs: number } {
    return { text, atMs: this.#clock.now() };
  }

  #count(transport: string, outcome: keyof Outcomes): void {
    let outcomes = this.#outcomes.get(transport);
    if (outcomes === undefined) {
      outcomes = noOutcomes();
      this.#outcomes.set(transport, outcomes);
    }
    outcomes[outcome]++;
  }

  #note(
    { transport, destination }: { transport: string; destination: string },
    change: Partial<WayPast>,
  ): void {
    // Outcomes without an attempt, such as an expiry, belong to no transport.
    if (transport === "") return;
    this.#transports.set(transport, { ...this.transport(transport), ...change });
    const key = `${transport}\0${destination}`;
    const past = { ...this.destination(transport, destination), ...change };
    this.#destinations.delete(key); // and goes to the end of the order
    this.#destinations.set(key, past);
    if (this.#destinations.size <= MAX_DESTINATIONS) return;
    const [oldest] = this.#destinations.keys();
    if (oldest !== undefined) this.#destinations.delete(oldest);
  }
}

function noOutcomes(): Outcomes {
  return { delivered: 0, deferred: 0, bounced: 0, uncertain: 0 };
}
