import type { RecipientRecord } from "../queue/store.ts";
import { type Redirect, redirected } from "./redirect.ts";
import type { Setback, Transport } from "./transport.ts";
import type { WindowEntry } from "./window.ts";

/** The rule that fits a recipient, and what it says. */
export type Way = OpenWay | RestingWay;

/** Its mail is sent. */
export interface OpenWay {
  readonly kind: "open";
  readonly name: string;
  /** In the order in which they are tried. */
  readonly transports: readonly Transport[];
  /** As `DeliverOptions.rawOnly`. */
  readonly rawOnly: boolean;
  /** The mailbox that gets the mail of all its recipients; null when they get it themselves. */
  readonly redirect: Redirect | null;
}

/** Its mail is kept here. */
export interface RestingWay {
  readonly kind: "hold" | "capture";
  readonly name: string;
}

/** Recipients of one message that leave together, and the transports that are left for them. */
export interface Job {
  readonly entry: WindowEntry;
  readonly recipients: readonly RecipientRecord[];
  readonly domain: string;
  /** The name of the rule that chose the transports. */
  readonly route: string;
  /** In order of failover; the job is with the one at `step`. */
  readonly transports: readonly Transport[];
  readonly rawOnly: boolean;
  /** As in its way. */
  readonly redirect: Redirect | null;
  readonly step: number;
  /** Why no transport before `step` took it, for each recipient that one of them would have. */
  readonly setbacks: ReadonlyMap<RecipientRecord, Setback>;
  /** Which rules found its way; with others in force its recipients enter anew. */
  readonly rules: number;
}

const NO_SETBACKS: ReadonlyMap<RecipientRecord, Setback> = new Map();

/** The recipients of a message by where they go. */
export interface Grouping {
  readonly jobs: readonly Job[];
  /** Those whose mail is kept here, by the way that says so. */
  readonly resting: ReadonlyMap<string, { way: RestingWay; recipients: RecipientRecord[] }>;
  /** Those that no rule fits. */
  readonly unroutable: readonly RecipientRecord[];
}

/** Groups the recipients of one claimed message into jobs, one for each way out and destination. */
export function groupIntoJobs(
  { entry, recipients: all }: Pick<Job, "entry" | "recipients">,
  { route, rules }: {
    readonly route: (recipient: RecipientRecord) => Way | null;
    /** As in `Job`. */
    readonly rules: number;
  },
): Grouping {
  const groups = new Map<string, { job: Job; recipients: RecipientRecord[] }>();
  const resting = new Map<string, { way: RestingWay; recipients: RecipientRecord[] }>();
  const unroutable: RecipientRecord[] = [];
  for (const recipient of all) {
    const way = route(recipient);
    if (way !== null && way.kind !== "open") {
      const key = `${way.kind} ${way.name}`;
      const group = resting.get(key);
      if (group === undefined) resting.set(key, { way, recipients: [recipient] });
      else group.recipients.push(recipient);
      continue;
    }
    const transport = way?.transports[0];
    if (way === null || transport === undefined) {
      unroutable.push(recipient);
      continue;
    }
    const domain = way.redirect?.domain ?? recipient.domain;
    const destination = `${transport.name}\0${transport.destinationOf(domain)}`;
    // A way that an operator chose has no other transport to go on to.
    const rule = `${recipient.rerouted === true ? "!" : ""}${way.name}`;
    const key = `${rule}\0${way.redirect?.mailbox ?? ""}\0${destination}`;
    const group = groups.get(key);
    if (group === undefined) {
      const members = [recipient];
      groups.set(key, {
        job: jobOf(way, { entry, domain, recipients: members, rules }),
        recipients: members,
      });
    } else group.recipients.push(recipient);
  }
  const jobs: Job[] = [];
  for (const { job } of groups.values()) jobs.push(...splitJob(job));
  return { jobs, resting, unroutable };
}

function jobOf(
  { name, transports, rawOnly, redirect }: OpenWay,
  facts: Pick<Job, "entry" | "domain" | "recipients" | "rules">,
): Job {
  const start = { step: 0, setbacks: NO_SETBACKS };
  return { ...facts, ...start, route: name, transports, rawOnly, redirect };
}

/** Whom the transport is told of: the recipients, or the one mailbox that gets their mail. */
export function addresseesOf({ recipients, redirect }: Job): readonly RecipientRecord[] {
  return redirect === null ? recipients : [redirected(recipients, redirect)];
}

/** The same job with the next transport of its route; none when there is no next one. */
export function nextStep(
  job: Job,
  { recipients, setbacks }: Pick<Job, "recipients" | "setbacks">,
): Job[] {
  if (recipients.length === 0 || job.step + 1 >= job.transports.length) return [];
  return regroup({ ...job, recipients, setbacks, step: job.step + 1 });
}

/** Recipients that shared one destination need not share the next transport's. */
function regroup(job: Job): Job[] {
  if (job.redirect !== null) return splitJob(job);
  const transport = transportOf(job);
  const groups = new Map<string, RecipientRecord[]>();
  for (const recipient of job.recipients) {
    const key = transport.destinationOf(recipient.domain);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [recipient]);
    else group.push(recipient);
  }
  return [...groups.values()].flatMap((recipients) =>
    splitJob({ ...job, recipients, domain: recipients[0]?.domain ?? job.domain })
  );
}

/** The transport that the job is with. */
export function transportOf({ transports, step }: Job): Transport {
  const transport = transports[step];
  if (transport === undefined) throw new RangeError(`Cannot take step ${step} of a route`);
  return transport;
}

/** The most recipients of a job in one attempt. */
function limitOf(job: Job): number {
  const transport = transportOf(job);
  return transport.maxRecipientsOf?.(job.entry.message) ?? transport.maxRecipients;
}

/** Splits a job so that no part has more than `limit` recipients. */
export function splitJob(job: Job, limit: number = limitOf(job)): Job[] {
  if (job.recipients.length <= limit || job.redirect !== null) return [job];
  const parts: Job[] = [];
  for (let from = 0; from < job.recipients.length; from += limit) {
    parts.push({ ...job, recipients: job.recipients.slice(from, from + limit) });
  }
  return parts;
}
