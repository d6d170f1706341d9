import { type Dice, diceOf } from "./dice.ts";
import {
  type Act,
  HOUR_MS,
  MINUTE_MS,
  type Operation,
  type PlannedMail,
  SECOND_MS,
  type Settings,
  type Step,
  type Variant,
} from "./plan.ts";

/** Numbers of mail from here on are of scenes. */
const FIRST_NUMBER = 100;

interface Facts {
  readonly settings: Settings;
  readonly variants: readonly Variant[];
  readonly endMs: number;
}

/** Several things that happen together, as they hurt most. */
export function scenesOf(seed: number, facts: Facts): Step[] {
  const dice = diceOf(seed, "scenes");
  const steps: Step[] = [];
  let number = FIRST_NUMBER;
  for (const [share, scene] of SCENES) {
    if (!dice.chance(share)) continue;
    const own = diceOf(seed, scene.name);
    const atMs = own.chance(0.5)
      ? own.spread(10, 5 * MINUTE_MS)
      : own.between(0, facts.endMs * 0.9);
    const mails = Array.from({ length: own.between(3, 8) }, () => mailFor(own, number++, facts));
    steps.push(...scene(own, { ...facts, seed, atMs, mails }));
  }
  return steps;
}

type Scene = (
  dice: Dice,
  facts: Facts & {
    readonly seed: number;
    readonly atMs: number;
    readonly mails: readonly PlannedMail[];
  },
) => Step[];

const SCENES: readonly (readonly [share: number, scene: Scene])[] = [
  [0.5, ambushes],
  [0.2, imports],
  [0.15, sleeps],
];

/** All to one domain, so that they wait for each other. */
function mailFor(dice: Dice, number: number, { settings: { domains } }: Facts): PlannedMail {
  const domain = domains[0] ?? "";
  const mailboxes = Array.from({ length: dice.spread(1, 3) }, (_, index) => {
    const local = dice.chance(0.1) ? "no" : "r";
    return { mailbox: `${local}${index}.${number}@${domain}` };
  });
  return {
    ...{ number, sender: `s${number}@${dice.pick(domains)}`, recipients: mailboxes },
    sizeBytes: dice.chance(0.3) ? dice.between(1_600, 8_000) : dice.between(80, 400),
    aborts: dice.chance(0.05),
    holdMs: 0,
  };
}

/** A crowd comes to next hops that are slow, and something happens to what waits or is tried. */
function ambushes(
  dice: Dice,
  { seed, atMs, mails, variants, settings }: Parameters<Scene>[1],
): Step[] {
  const lost = diceOf(seed, "lost replies");
  const steps = arrivals(dice, { atMs, mails });
  const sky = dice.pick(["slow", "slow", "greylist", "reject", "uncertain"] as const);
  const weather = { forMs: dice.spread(MINUTE_MS, 20 * MINUTE_MS), transport: null, domain: null };
  for (const one of ["slow", sky] as const) {
    if (one !== sky && dice.chance(0.3)) continue;
    const share = one === "slow" ? 1 : 0.5;
    steps.unshift({ kind: "weather", atMs, weather: { ...weather, sky: one, share } });
  }
  const count = dice.between(1, 3);
  for (let index = 0; index < count; index++) {
    const act = actOf(dice, { variants, mails });
    const isTerm = act.kind === "restart" && act.how === "term";
    const when = isTerm
      ? dice.pick(["misfit", "misfit", "trying"] as const)
      : dice.pick(["lined", "lined", "trying"] as const);
    const startMs = atMs + dice.spread(100, 30 * SECOND_MS);
    const losesReply = act.kind === "operate" && settings.leaseMs <= HOUR_MS && lost.chance(0.3);
    steps.push({
      ...{ kind: "ambush", atMs: startMs, when, forMs: 2 * MINUTE_MS, act, losesReply },
    });
  }
  return steps;
}

function actOf(
  dice: Dice,
  { variants, mails }: { variants: readonly Variant[]; mails: readonly PlannedMail[] },
): Act {
  const kind = dice.pick(["reload", "operate", "operate", "restart"] as const);
  switch (kind) {
    case "reload":
      return { kind, variant: dice.between(0, variants.length - 1) };
    case "restart": {
      const how = dice.pick(["term", "term", "kill"] as const);
      return { kind, how, downMs: dice.spread(100, 10 * MINUTE_MS) };
    }
    case "operate":
      return { kind, operation: operationOf(dice, { variants, mails }) };
  }
}

function operationOf(
  dice: Dice,
  { variants, mails }: { variants: readonly Variant[]; mails: readonly PlannedMail[] },
): Operation {
  const kind = dice.pick(["hold", "cancel", "bounce", "reroute", "readdress"] as const);
  const mail = mails[0]?.number ?? 0;
  switch (kind) {
    case "reroute": {
      const names = variants.flatMap(({ transports }) => transports.map(({ name }) => name));
      return { kind, mail, transport: dice.chance(0.3) ? null : dice.pick(names) };
    }
    case "readdress": {
      const domain = mails[0]?.recipients[0]?.mailbox.split("@")[1] ?? "";
      return { kind, mail, remove: null, add: `added.${mail}@${domain}` };
    }
    default:
      return { kind, mail };
  }
}

/** An import before, beside and behind a start. */
function imports(dice: Dice, { atMs, mails }: Parameters<Scene>[1]): Step[] {
  const killAfterMs = dice.chance(0.4) ? dice.spread(10, 20 * SECOND_MS) : null;
  const whole = mails.map((mail) => ({ ...mail, aborts: false, ...largeOr(dice, mail) }));
  const steps: Step[] = [{ kind: "import", atMs, mails: whole, killAfterMs }];
  const starts = dice.between(0, 3);
  for (let index = 0; index < starts; index++) {
    const downMs = dice.spread(100, 5 * SECOND_MS);
    const how = dice.pick(["term", "kill"] as const);
    steps.push({ kind: "restart", atMs: atMs + dice.spread(10, 20 * SECOND_MS), how, downMs });
  }
  return steps;
}

/** Most of it goes to spool files. */
function largeOr(dice: Dice, { sizeBytes }: PlannedMail): Pick<PlannedMail, "sizeBytes"> {
  return { sizeBytes: dice.chance(0.6) ? dice.between(2_100, 12_000) : sizeBytes };
}

/** The machine sleeps past the end of leases. */
function sleeps(dice: Dice, { atMs, mails, settings }: Parameters<Scene>[1]): Step[] {
  const forMs = Math.min(HOUR_MS, settings.leaseMs * dice.pick([0.5, 1.1, 3]));
  const suspendMs = atMs + dice.spread(100, 30 * SECOND_MS);
  return [...arrivals(dice, { atMs, mails }), { kind: "suspend", atMs: suspendMs, forMs }];
}

function arrivals(
  dice: Dice,
  { atMs, mails }: { atMs: number; mails: readonly PlannedMail[] },
): Step[] {
  return mails.map((mail) => ({ kind: "mail", atMs: atMs + dice.spread(1, 2_000), mail }));
}
