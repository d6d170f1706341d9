import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { TaskGroup } from "../../base/task_group.ts";
import { isAsciiText, parseMailbox } from "../../mail/address.ts";
import type { Resolver } from "../../net/resolver.ts";
import type { JsonFile } from "./json_file.ts";
import type { TlsOutcome } from "./outcome.ts";
import {
  gzip,
  type Reporter,
  type ReportFacts,
  tlsReportJson,
  tlsReportMessage,
} from "./report.ts";
import type { FetchPolicyFile } from "./sts_fetch.ts";
import { type DayTally, TlsTally } from "./tally.ts";

/** What collecting and sending reports takes. */
export interface ReportSenderOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolver: Pick<Resolver, "txt">;
  readonly fetch: FetchPolicyFile;
  /** Queues a message; false when it could not be stored. */
  readonly queue: (mail: { from: string; to: string; octets: Uint8Array }) => Promise<boolean>;
  readonly newId: () => string;
  readonly reporter: Reporter;
  /** Where counts outlive the process; null for nowhere. */
  readonly file: JsonFile | null;
  readonly onError: (error: unknown) => void;
}

const HOUR_MS = 3600_000;
/** RFC 8460 section 5.5: reports that cannot be delivered are given up after a day. */
const GIVE_UP_AFTER_DAYS = 2;
const POST_TIMEOUT_MS = 60_000;

/**
 * Collects what connections came to and tells each domain that wants to know, once a day
 * (RFC 8460). Looks every hour, at a minute of its own, for days that are over.
 */
export class TlsReportSender implements AsyncDisposable {
  readonly #options: ReportSenderOptions;
  readonly #tasks: TaskGroup;
  readonly #loading: Promise<TlsTally>;
  /** Null until what was kept before is known. */
  #tally: TlsTally | null = null;
  /** What happened until then. */
  #early: { readonly outcome: TlsOutcome; readonly atMs: number }[] = [];
  #cancel: (() => void) | null = null;
  #sending: Promise<void> | null = null;

  constructor(options: ReportSenderOptions) {
    this.#options = options;
    this.#tasks = new TaskGroup(options.onError);
    this.#loading = this.#load();
    // Section 4.1: not all relays of the world at midnight
    this.#schedule(options.random.float() * HOUR_MS);
  }

  /** Takes note of one connection. */
  record(outcome: TlsOutcome): void {
    const atMs = this.#options.clock.now();
    if (this.#tally === null) this.#early.push({ outcome, atMs });
    else this.#tally.add(outcome, atMs);
  }

  /**
   * Sends the reports of all days that are over, and keeps the counts of the rest. Runs once at a
   * time, so that no report goes out twice.
   */
  sendDue(): Promise<void> {
    this.#sending ??= this.#sendDue().finally(() => this.#sending = null);
    return this.#sending;
  }

  /** Stops, and writes the counts of the day that is not over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel?.();
    await this.#tasks.idle();
    await this.#options.file?.write(await this.#loading);
  }

  async #sendDue(): Promise<void> {
    const tally = await this.#loading;
    const nowMs = this.#options.clock.now();
    for (const [date, day] of tally.finished(nowMs)) {
      for (const [domain, policies] of [...day]) {
        const facts = { date, domain, policies, id: this.#options.newId() };
        const isDone = await this.#sendTo(facts);
        const ageMs = nowMs - Date.parse(`${date}T00:00:00Z`);
        const isHopeless = ageMs > GIVE_UP_AFTER_DAYS * 24 * HOUR_MS;
        if (isDone || isHopeless) tally.forget(date, domain);
      }
    }
    await this.#options.file?.write(tally);
  }

  #schedule(delayMs: number): void {
    this.#cancel = this.#options.clock.schedule(delayMs, () => {
      this.#schedule(HOUR_MS);
      this.#tasks.run(() => this.sendDue());
    });
  }

  /** Whether nothing is left to be done for a domain. */
  async #sendTo(facts: ReportFacts): Promise<boolean> {
    const answer = await this.#options.resolver.txt(`_smtp._tls.${facts.domain}`);
    if (answer.kind === "temporary") return false;
    const places = answer.kind === "found" ? reportPlaces(answer.records) : [];
    if (places.length === 0) return true;
    const report = await gzip(tlsReportJson(facts, this.#options.reporter));
    let isSent = false;
    for (const place of places) {
      if (await this.#deliver(facts, { place, report })) isSent = true;
    }
    return isSent;
  }

  async #deliver(
    facts: ReportFacts,
    { place, report }: { place: URL; report: Uint8Array },
  ): Promise<boolean> {
    if (place.protocol === "https:") return await this.#post(place, report);
    const { reporter, clock, queue } = this.#options;
    const to = mailboxIn(place);
    if (to === null) return false;
    const octets = tlsReportMessage(facts, { reporter, to, report, nowMs: clock.now() });
    return await queue({ from: reporter.from, to, octets });
  }

  /** RFC 8460 section 5.4. */
  async #post(place: URL, report: Uint8Array): Promise<boolean> {
    const { fetch, clock } = this.#options;
    const halt = new AbortController();
    const cancel = clock.schedule(POST_TIMEOUT_MS, () => halt.abort());
    try {
      const response = await fetch(place.href, {
        method: "POST",
        headers: { "content-type": "application/tlsrpt+gzip" },
        body: new Uint8Array(report),
        redirect: "manual",
        signal: halt.signal,
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false; // tried again in an hour
    } finally {
      cancel();
    }
  }

  async #load(): Promise<TlsTally> {
    const kept = await this.#options.file?.read();
    const days = typeof kept === "object" && kept !== null ? kept as Record<string, DayTally> : {};
    const tally = new TlsTally(days);
    for (const { outcome, atMs } of this.#early) tally.add(outcome, atMs);
    this.#early = [];
    this.#tally = tally;
    return tally;
  }
}

/** The mailbox of a `mailto:` address (RFC 6068 section 2); null where it has none. */
function mailboxIn({ pathname }: URL): string | null {
  let text: string;
  try {
    text = decodeURIComponent(pathname);
  } catch {
    return null; // what is encoded is no UTF-8
  }
  return parseMailbox(text).kind === "ok" && isAsciiText(text) ? text : null;
}

/** Domains want their reports at one place or two; more would make this relay bomb others. */
const MOST_PLACES = 5;

/** Where a domain wants its reports, from the TXT records of `_smtp._tls.` (RFC 8460 section 3). */
export function reportPlaces(records: readonly string[]): URL[] {
  const found = records.filter((record) => /^v=TLSRPTv1\s*;/.test(record));
  const rua = found.length === 1 ? /;\s*rua\s*=\s*([^;]+)/.exec(found[0] ?? "")?.[1] ?? "" : "";
  return rua.split(",", MOST_PLACES).flatMap((place) => {
    const url = URL.parse(place.trim());
    return url !== null && (url.protocol === "mailto:" || url.protocol === "https:") ? [url] : [];
  });
}
