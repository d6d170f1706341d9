import type { Clock } from "../../base/clock.ts";
import type { Latency, TransportStatus } from "../../admin/ports.ts";
import type { EventSink, RelayEvent } from "../../observe/events.ts";
import { RecentTimes } from "./recent_times.ts";

/** Destinations of one transport that are remembered; those known longest are forgotten. */
const MAX_DESTINATIONS = 5_000;

/** What is known of the past of a transport. */
export interface WayPast {
  readonly lastError: { readonly text: string; readonly atMs: number } | null;
  readonly lastSuccessAtMs: number | null;
}

/** What is known of the past of a destination. */
export interface DestinationPast extends WayPast {
  readonly latency: Latency | null;
}

type Outcomes = { -readonly [Key in keyof TransportStatus["outcomes"]]: number };

/** The same, changed in place: this is done for every outcome. */
interface Past {
  errorText: string;
  errorAtMs: number;
  successAtMs: number;
}

/** The same with what attempts took. */
interface TimedPast extends Past {
  readonly times: RecentTimes;
}

/** The past of a transport and of its destinations. */
interface TransportPast extends Past {
  readonly outcomes: Outcomes;
  readonly destinations: Map<string, TimedPast>;
}

const NEVER = -1;

/** Remembers, from the events, how transports and destinations did. */
export class WayHistory {
  readonly #clock: Clock;
  readonly #transports = new Map<string, TransportPast>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Takes an event. */
  readonly sink: EventSink = (event: RelayEvent): void => {
    switch (event.type) {
      case "delivered":
        return this.#note(event, { outcome: "delivered", error: null });
      case "deferred":
      case "uncertain":
        return this.#note(event, { outcome: event.type, error: event.reply });
      case "bounced":
      case "expired":
        return this.#note(event, { outcome: "bounced", error: event.reply });
      case "destination_down":
        return this.#note(event, { outcome: null, error: event.reason });
    }
  };

  transport(name: string): WayPast {
    return shown(this.#transports.get(name));
  }

  /** Outcomes of a transport since the start. */
  outcomes(transport: string): Readonly<Outcomes> {
    return this.#transports.get(transport)?.outcomes ?? noOutcomes();
  }

  /** Destinations of a transport at which an attempt ended after a time. */
  *recent(transport: string, afterMs: number): Generator<string> {
    for (const [name, past] of this.#transports.get(transport)?.destinations ?? []) {
      if (Math.max(past.successAtMs, past.errorAtMs) > afterMs) yield name;
    }
  }

  destination(transport: string, name: string): DestinationPast {
    const past = this.#transports.get(transport)?.destinations.get(name);
    return { ...shown(past), latency: past?.times.latency ?? null };
  }

  #note(
    { transport, destination, messageId = "", durationMs }: {
      transport: string;
      destination: string;
      messageId?: string;
      durationMs?: number;
    },
    { outcome, error }: { outcome: keyof Outcomes | null; error: string | null },
  ): void {
    // Outcomes without an attempt, such as an expiry, belong to no transport.
    if (transport === "") return;
    const past = this.#pastOf(transport);
    if (outcome !== null) past.outcomes[outcome]++;
    const nowMs = this.#clock.now();
    const own = destinationOf(past, destination);
    if (durationMs !== undefined) own.times.note(messageId, durationMs);
    for (const one of [past, own]) {
      if (error === null) one.successAtMs = nowMs;
      else {
        one.errorText = error;
        one.errorAtMs = nowMs;
      }
    }
  }

  #pastOf(transport: string): TransportPast {
    let past = this.#transports.get(transport);
    if (past === undefined) {
      past = { ...noPast(), outcomes: noOutcomes(), destinations: new Map() };
      this.#transports.set(transport, past);
    }
    return past;
  }
}

function destinationOf({ destinations }: TransportPast, name: string): TimedPast {
  let past = destinations.get(name);
  if (past === undefined) {
    past = { ...noPast(), times: new RecentTimes() };
    destinations.set(name, past);
    const [oldest] = destinations.size > MAX_DESTINATIONS ? destinations.keys() : [];
    if (oldest !== undefined) destinations.delete(oldest);
  }
  return past;
}

function shown(past: Past | undefined): WayPast {
  const { errorText, errorAtMs, successAtMs } = past ?? noPast();
  return {
    lastError: errorAtMs === NEVER ? null : { text: errorText, atMs: errorAtMs },
    lastSuccessAtMs: successAtMs === NEVER ? null : successAtMs,
  };
}

function noPast(): Past {
  return { errorText: "", errorAtMs: NEVER, successAtMs: NEVER };
}

function noOutcomes(): Outcomes {
  return { delivered: 0, deferred: 0, bounced: 0, uncertain: 0 };
}
