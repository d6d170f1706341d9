import type { RouteRule } from "../../src/delivery/route.ts";
import type { ShapingRule } from "../../src/delivery/shaping/rules.ts";
import { type Dice, diceOf } from "./dice.ts";
import { scenesOf } from "./scenes.ts";
import {
  DAY_MS,
  DNS_ANSWERS,
  EXCHANGERS,
  type Happening,
  HOUR_MS,
  MINUTE_MS,
  type Operation,
  type Plan,
  type PlannedMail,
  SECOND_MS,
  type Settings,
  SKIES,
  type Step,
  STORE_TROUBLES,
  type TransportPlan,
  type Variant,
} from "./plan.ts";

/** How long a calm lasts; nothing that a next hop asked for takes longer. */
const CALM_MS = 2 * HOUR_MS;

/** Makes the plan of a seed. */
export function planOf(seed: number): Plan {
  const settings = settingsOf(seed);
  const variants = variantsOf(seed, settings);
  const dice = diceOf(seed, "steps");
  const endMs = HOUR_MS * hoursOf(dice);
  const calms = calmsOf(seed, endMs);
  const steps = [
    ...mailOf(seed, { settings, endMs }),
    ...troublesOf(seed, { settings, variants, endMs }),
    ...dnsOf(seed, { settings, endMs }),
    ...rivalsOf(seed, endMs),
    ...scenesOf(seed, { settings, variants, endMs }),
  ].filter(({ atMs }) => !calms.some((calm) => atMs >= calm.atMs && atMs <= calm.atMs + CALM_MS));
  return {
    ...{ seed, settings, variants },
    steps: [...steps, ...calms].sort((one, other) => one.atMs - other.atMs),
    endMs: Math.max(endMs, ...calms.map(({ atMs }) => atMs + CALM_MS + 1)),
  };
}

/** Short lives cost little, so there are more of them. */
function hoursOf(dice: Dice): number {
  if (dice.chance(0.02)) return 36;
  if (dice.chance(0.05)) return 12;
  return dice.chance(0.3) ? 4 : 1;
}

function settingsOf(seed: number): Settings {
  const dice = diceOf(seed, "settings");
  const window = dice.pick([8, 20, 60, 500]);
  const layout = diceOf(seed, "exchangers");
  const maxDownMs = dice.pick([MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS]);
  return {
    leaseMs: dice.pick([2 * MINUTE_MS, 10 * MINUTE_MS, 10 * MINUTE_MS, 3 * HOUR_MS]),
    window,
    perDomain: Math.min(window, dice.pick([2, 5, 20, 500])),
    bodyBytes: dice.pick([1_000, 1_000_000]),
    initialConcurrency: dice.pick([1, 2, 5]),
    maxConcurrency: dice.pick([1, 3, 20, 100]),
    downMs: Math.min(maxDownMs, dice.pick([5 * SECOND_MS, 15 * SECOND_MS, 2 * MINUTE_MS])),
    maxDownMs,
    retryMs: dice.pick([
      [1, 2, 5, 10, 20, 40, 60, 120, 240, 360].map((minutes) => minutes * MINUTE_MS),
      [15 * MINUTE_MS, HOUR_MS],
      [10 * MINUTE_MS],
    ]),
    expireMs: dice.pick([4 * DAY_MS, 4 * DAY_MS, DAY_MS, 3 * HOUR_MS]),
    warnAfterMs: dice.pick([null, 4 * HOUR_MS, 20 * MINUTE_MS]),
    uncertain: dice.pick(["retry", "retry", "retry", "hold", "deliver"] as const),
    drainMs: dice.pick([0, 2 * SECOND_MS, 30 * SECOND_MS]),
    spoolThresholdBytes: 2_000,
    keepsFailed: dice.chance(0.3),
    hasWires: diceOf(seed, "wires").chance(0.4),
    driftPpm: dice.pick([0, 0, 50, -50, -2_000]),
    domains: Array.from({ length: dice.between(1, 5) }, (_, index) => `d${index}.example`),
    exchangers: Array.from({ length: 5 }, () => layout.pick(EXCHANGERS)),
  };
}

function variantsOf(seed: number, { domains }: Settings): Variant[] {
  const dice = diceOf(seed, "variants");
  const transports = Array.from(
    { length: dice.between(1, 3) },
    (_, index) => transportPlan(dice, "abc".charAt(index)),
  );
  const first = { transports, routes: routesOf(dice, { transports, domains }), shaping: [] };
  const others = Array.from({ length: 2 }, (): Variant => {
    const changed = changedTransports(dice, transports);
    return {
      transports: changed,
      routes: routesOf(dice, { transports: changed, domains }),
      shaping: shapingOf(dice, domains),
    };
  });
  const variants = [
    dice.chance(0.3) ? { ...first, shaping: shapingOf(dice, domains) } : first,
    ...others,
  ];
  return variants.map((variant) => ({
    ...variant,
    transports: variant.transports.map((plan) => withLmtp(plan, seed)),
  }));
}

/** Some of the smarthosts are servers of mailboxes. */
function withLmtp(plan: TransportPlan, seed: number): TransportPlan {
  const dice = diceOf(seed, `lmtp ${plan.name} ${plan.revision}`);
  return { ...plan, isLmtp: plan.kind === "smarthost" && dice.chance(0.5) };
}

function transportPlan(dice: Dice, name: string): TransportPlan {
  return {
    name,
    kind: dice.pick(["mx", "mx", "smarthost", "api"] as const),
    revision: 0,
    maxConcurrency: dice.pick([1, 2, 20]),
    maxRecipients: dice.pick([1, 3, 100]),
    limitBytes: dice.pick([1_500, 1_000_000, 1_000_000]),
    serverRecipients: dice.pick([2, 3, 100, 100]),
    isLmtp: false,
  };
}

/** One is removed, renamed, made anew, or nothing but their order changes. */
function changedTransports(dice: Dice, old: readonly TransportPlan[]): TransportPlan[] {
  const index = dice.between(0, old.length - 1);
  switch (dice.between(0, 3)) {
    case 0:
      return old.length === 1 ? [...old] : old.filter((_, place) => place !== index);
    case 1:
      return old.map((one, place) => place === index ? { ...one, name: `${one.name}x` } : one);
    case 2:
      return old.map((one, place) =>
        place === index ? { ...transportPlan(dice, one.name), revision: 1 } : one
      );
    default:
      return [...old].reverse();
  }
}

function routesOf(
  dice: Dice,
  { transports, domains }: {
    transports: readonly TransportPlan[];
    domains: readonly string[];
  },
): RouteRule[] {
  const names = transports.map(({ name }) => name);
  const someOf = (): string[] => {
    const count = dice.between(1, names.length);
    const from = dice.between(0, names.length - 1);
    return Array.from({ length: count }, (_, place) => names[(from + place) % names.length] ?? "");
  };
  const all = { name: "all", match: {}, transports: someOf() };
  const weights = all.transports.map(() => dice.between(1, 5));
  const last = dice.chance(0.2) ? { ...all, weights } : all;
  if (!dice.chance(0.5)) return [last];
  const own = {
    name: "own",
    match: { recipientDomain: [dice.pick(domains)] },
    transports: someOf(),
  };
  return [own, last];
}

function shapingOf(dice: Dice, domains: readonly string[]): ShapingRule[] {
  if (!dice.chance(0.4)) return [];
  return [{
    name: "gentle",
    match: dice.chance(0.5) ? {} : { domain: [dice.pick(domains)] },
    shared: dice.chance(0.5),
    limits: {
      rates: dice.chance(0.7) ? [{ count: dice.pick([10, 60]), perMs: MINUTE_MS }] : [],
      ...(dice.chance(0.5) ? { concurrency: dice.between(1, 3) } : {}),
      ...(dice.chance(0.3) ? { recipients: dice.between(1, 3) } : {}),
    },
  }];
}

function calmsOf(seed: number, endMs: number): Step[] {
  const dice = diceOf(seed, "calms");
  if (endMs <= HOUR_MS || !dice.chance(0.5)) return [];
  return [{ kind: "calm", atMs: dice.between(HOUR_MS, endMs), forMs: CALM_MS }];
}

function mailOf(
  seed: number,
  { settings, endMs }: { settings: Settings; endMs: number },
): Step[] {
  const dice = diceOf(seed, "mail");
  const count = dice.spread(1, 25);
  const steps: Step[] = [];
  let atMs = 0;
  for (let number = 0; number < count; number++) {
    // Mail comes in crowds, and now and then one by one.
    if (dice.chance(0.3)) atMs = dice.between(0, endMs * 0.9);
    else atMs += dice.spread(1, 10_000);
    steps.push({ kind: "mail", atMs, mail: mailFor(dice, { number, settings }) });
  }
  return steps;
}

function mailFor(
  dice: Dice,
  { number, settings: { domains, spoolThresholdBytes } }: { number: number; settings: Settings },
): PlannedMail {
  const domain = dice.pick(domains);
  const isCrowd = dice.chance(0.04);
  const recipients = Array.from({ length: isCrowd ? 30 : dice.spread(1, 5) }, (_, index) => {
    const local = dice.chance(0.05) ? "no" : "r";
    const place = isCrowd || dice.chance(0.5) ? domain : dice.pick(domains);
    const mailbox = `${local}${index}.${number}@${place}`;
    if (dice.chance(0.85)) return { mailbox };
    const notify = dice.pick([["NEVER"], ["FAILURE"], ["SUCCESS", "FAILURE"], ["DELAY"]] as const);
    return { mailbox, notify };
  });
  const isLarge = dice.chance(0.15);
  return {
    number,
    sender: dice.chance(0.1) ? "" : `s${number}@${dice.pick(domains)}`,
    recipients,
    sizeBytes: isLarge ? dice.between(1_501, 4 * spoolThresholdBytes) : dice.between(80, 400),
    aborts: dice.chance(0.05),
    holdMs: dice.chance(0.05) ? dice.spread(MINUTE_MS, 6 * HOUR_MS) : 0,
  };
}

/**
 * A claim whose answer is lost is given back when its lease is over, so that where leases are long
 * no answer gets lost.
 */
const ANSWERING = STORE_TROUBLES.filter((what) => what !== "lost_reply" && what !== "worker");

/** What share of the seeds has a kind of trouble, and how often at most. */
const TROUBLES = {
  weather: { share: 0.9, most: 20 },
  store: { share: 0.3, most: 5 },
  clock: { share: 0.3, most: 3 },
  reload: { share: 0.4, most: 4 },
  operate: { share: 0.5, most: 10 },
  restart: { share: 0.35, most: 4 },
} as const;

function troublesOf(
  seed: number,
  facts: { settings: Settings; variants: readonly Variant[]; endMs: number },
): Step[] {
  const dice = diceOf(seed, "troubles");
  const steps: Step[] = [];
  for (const [kind, { share, most }] of Object.entries(TROUBLES)) {
    const own = diceOf(seed, kind);
    if (!dice.chance(share)) continue;
    const count = own.spread(1, most);
    for (let index = 0; index < count; index++) {
      const happening = troubleOf(own, { kind: kind as keyof typeof TROUBLES, ...facts });
      steps.push({ atMs: momentOf(own, facts.endMs), ...happening });
    }
  }
  return steps;
}

/** What the DNS says otherwise for a while, where somebody asks it. */
function dnsOf(
  seed: number,
  { settings: { domains, hasWires }, endMs }: { settings: Settings; endMs: number },
): Step[] {
  const dice = diceOf(seed, "dns");
  if (!hasWires || !dice.chance(0.5)) return [];
  return Array.from({ length: dice.spread(1, 6) }, (): Step => {
    const answer = dice.pick(DNS_ANSWERS);
    const change = { domain: dice.pick(domains), answer, forMs: dice.spread(SECOND_MS, endMs) };
    return { kind: "dns", atMs: momentOf(dice, endMs), change };
  });
}

function rivalsOf(seed: number, endMs: number): Step[] {
  const dice = diceOf(seed, "rivals");
  return dice.chance(0.1) ? [{ kind: "rival", atMs: momentOf(dice, endMs) }] : [];
}

/** Much happens in the first minutes, when the first crowd of mail is under way. */
function momentOf(dice: Dice, endMs: number): number {
  return dice.chance(0.5) ? dice.spread(10, 5 * MINUTE_MS) : dice.between(0, endMs * 0.95);
}

function troubleOf(
  dice: Dice,
  { kind, settings, variants, endMs }: {
    kind: keyof typeof TROUBLES;
    settings: Settings;
    variants: readonly Variant[];
    endMs: number;
  },
): Happening {
  const names = [...new Set(variants.flatMap(({ transports }) => transports))].map((one) =>
    one.name
  );
  const domains = settings.domains;
  switch (kind) {
    case "weather":
      return {
        kind,
        weather: {
          sky: dice.pick(SKIES),
          forMs: dice.spread(SECOND_MS, endMs),
          transport: dice.chance(0.5) ? dice.pick(names) : null,
          domain: dice.chance(0.5) ? dice.pick(domains) : null,
          share: dice.pick([0.1, 0.5, 1, 1]),
        },
      };
    case "store":
      return {
        kind,
        trouble: {
          what: dice.pick(settings.leaseMs > HOUR_MS ? ANSWERING : STORE_TROUBLES),
          forMs: dice.spread(SECOND_MS, 20 * MINUTE_MS),
          share: dice.pick([0.1, 0.5, 1]),
        },
      };
    case "clock": {
      const byMs = dice.spread(10 * SECOND_MS, 12 * HOUR_MS);
      return { kind, byMs: dice.chance(0.5) ? byMs : -byMs };
    }
    case "reload":
      return { kind, variant: dice.between(0, variants.length - 1) };
    case "restart":
      return {
        kind,
        how: dice.pick(["term", "kill"] as const),
        downMs: dice.spread(100, 2 * HOUR_MS),
      };
    case "operate":
      return { kind, operation: operationOf(dice, { names, domains }) };
  }
}

function operationOf(
  dice: Dice,
  { names, domains }: { names: readonly string[]; domains: readonly string[] },
): Operation {
  const mail = dice.chance(0.6) ? dice.between(0, 20) : null;
  const kind = dice.pick(
    [
      ...["hold", "release", "cancel", "bounce", "retry", "reroute", "readdress", "send_again"],
      ...["pause", "pause", "resume", "resume", "flush", "reset", "suppress"],
    ] as Operation["kind"][],
  );
  switch (kind) {
    case "hold":
    case "release":
    case "retry":
    case "cancel":
    case "bounce": {
      const isFinal = kind === "cancel" || kind === "bounce";
      return {
        ...{ kind, mail: isFinal ? mail ?? 1 : mail },
        ...(dice.chance(0.4) ? { domain: dice.pick(domains) } : {}),
      };
    }
    case "reroute":
      return { kind, mail, transport: dice.chance(0.3) ? null : dice.pick(names) };
    case "readdress": {
      const number = mail ?? 2;
      const remove = dice.chance(0.5) ? `r0.${number}@${dice.pick(domains)}` : null;
      return { kind, mail: number, remove, add: `added.${number}@${dice.pick(domains)}` };
    }
    case "send_again":
      return { kind, mail: mail ?? 0 };
    case "pause":
    case "resume": {
      const what = dice.pick(["domain", "transport"] as const);
      const name = dice.pick(what === "domain" ? domains : names);
      const forMs = dice.chance(0.5) ? null : dice.spread(MINUTE_MS, 8 * HOUR_MS);
      return { kind, what, name, forMs };
    }
    case "flush":
      return { kind, domain: dice.pick(domains) };
    case "reset":
      return { kind, transport: dice.pick(names) };
    case "suppress":
      return { kind, mailbox: `r0.${dice.between(0, 20)}@${dice.pick(domains)}` };
  }
}
