import type { RecipientRecord } from "../queue/store.ts";
import type { Setback, Transport } from "./transport.ts";
import type { WindowEntry } from "./window.ts";

/** The rule that fits a recipient, with its transports. */
export interface Way {
  readonly name: string;
  /** In the order in which they are tried. */
  readonly transports: readonly Transport[];
  /** As `DeliverOptions.rawOnly`. */
  readonly rawOnly: boolean;
}

/** Recipients of one message that leave together, and the ways out that are left for them. */
export interface Job {
  readonly entry: WindowEntry;
  readonly recipients: readonly RecipientRecord[];
  readonly domain: string;
  /** The name of the rule that chose the transports. */
  readonly route: string;
  /** In order of failover; the job is with the one at `step`. */
  readonly transports: readonly Transport[];
  readonly rawOnly: boolean;
  readonly step: number;
  /** Why no transport before `step` took it, when one of them would have; else null. */
  readonly setback: Setback | null;
}

/** Groups the recipients of one claimed message into jobs, one for each way out and destination. */
export function groupIntoJobs(
  entry: WindowEntry,
  recipients: readonly RecipientRecord[],
  route: (recipient: RecipientRecord) => Way | null,
): { jobs: Job[]; unroutable: RecipientRecord[] } {
  const groups = new Map<string, { job: Job; recipients: RecipientRecord[] }>();
  const unroutable: RecipientRecord[] = [];
  for (const recipient of recipients) {
    const rule = route(recipient);
    const transport = rule?.transports[0];
    if (rule === null || transport === undefined) {
      unroutable.push(recipient);
      continue;
    }
    const key = `${rule.name}\0${transport.destinationOf(recipient.domain)}`;
    const group = groups.get(key);
    if (group !== undefined) {
      group.recipients.push(recipient);
      continue;
    }
    const members = [recipient];
    groups.set(key, {
      recipients: members,
      job: {
        entry,
        recipients: members,
        domain: recipient.domain,
        route: rule.name,
        transports: rule.transports,
        rawOnly: rule.rawOnly,
        step: 0,
        setback: null,
      },
    });
  }
  const jobs: Job[] = [];
  for (const { job } of groups.values()) jobs.push(...splitJob(job));
  return { jobs, unroutable };
}

/** The same job with the next transport of its route; none when there is no next one. */
export function nextStep(
  job: Job,
  { recipients, setback }: {
    recipients: readonly RecipientRecord[];
    setback: Setback | null;
  },
): Job[] {
  if (job.step + 1 >= job.transports.length) return [];
  return regroup({ ...job, recipients, setback, step: job.step + 1 });
}

/** Recipients that shared one destination need not share the next transport's. */
function regroup(job: Job): Job[] {
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

function splitJob(job: Job): Job[] {
  const limit = transportOf(job).maxRecipients;
  if (job.recipients.length <= limit) return [job];
  const parts: Job[] = [];
  for (let from = 0; from < job.recipients.length; from += limit) {
    parts.push({ ...job, recipients: job.recipients.slice(from, from + limit) });
  }
  return parts;
}
