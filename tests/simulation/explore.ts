import type { Violation } from "./ledger.ts";
import { planOf } from "./generate.ts";
import { MemoryGround } from "./memory_ground.ts";
import type { Plan } from "./plan.ts";
import { type RunOptions, simulate } from "./run.ts";
import { shrink } from "./shrink.ts";
import { makeTemplate, SqliteGround } from "./sqlite_ground.ts";
import { type Ground, Life, type World } from "./world.ts";

/** Where the messages of a world are kept; `both` compares each answer of the two. */
export const STORES = ["memory", "sqlite", "both"] as const;
export type StoreName = typeof STORES[number];

/** A seed that broke a rule. */
export interface Failure {
  readonly seed: number;
  readonly store: StoreName;
  readonly violation: Violation;
}

/** Lives seeds one after the other, all in one folder. */
export class Explorer implements AsyncDisposable {
  readonly #folder: string;
  readonly #store: StoreName;

  readonly #template: string;

  private constructor(
    { folder, store, template }: { folder: string; store: StoreName; template: string },
  ) {
    this.#folder = folder;
    this.#store = store;
    this.#template = template;
  }

  static async open(store: StoreName): Promise<Explorer> {
    const folder = await makeFolder();
    const template = store === "memory" ? "" : await makeTemplate(folder);
    return new Explorer({ folder, store, template });
  }

  /** Null when every rule held. */
  async live(seed: number): Promise<Failure | null> {
    const { violation } = await simulate(planOf(seed), this.#options());
    return violation === null ? null : { seed, store: this.#store, violation };
  }

  /** The shortest life that breaks the same rule, as text. */
  async explain({ seed, store, violation }: Failure): Promise<string> {
    const whole = planOf(seed);
    const plan = await shrink(whole, async (candidate) => {
      const { violation: found } = await simulate(candidate, this.#options());
      return found?.rule === violation.rule;
    });
    return [
      `Seed ${seed} with the ${store} store: ${violation.rule}`,
      violation.detail,
      `${plan.steps.length} of ${whole.steps.length} steps are enough:`,
      ...await this.trace(plan),
      `To see all of it: deno task simulate --store ${store} --seed ${seed} --trace`,
    ].join("\n");
  }

  /** What happens in a life, line by line. */
  async trace(plan: Plan): Promise<readonly string[]> {
    const { trace } = await simulate(plan, { ...this.#options(), traces: true });
    const { settings, variants } = plan;
    return [JSON.stringify(settings), ...variants.map((one) => JSON.stringify(one)), ...trace];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  #options(): RunOptions {
    return { folder: this.#folder, groundFor: (world) => this.#groundFor(world) };
  }

  async #groundFor(world: World): Promise<Ground> {
    if (this.#store === "memory") return new MemoryGround(world);
    const places = { folder: this.#folder, template: this.#template };
    const ground = await SqliteGround.make(world, places);
    if (this.#store === "sqlite") return ground;
    const beside = await ground.openBare(new Life(0));
    return new MemoryGround(world, { beside, end: () => ground[Symbol.asyncDispose]() });
  }
}

/** In memory where the machine has a file system there, as nothing of it has to last. */
async function makeFolder(): Promise<string> {
  try {
    return await Deno.makeTempDir({ dir: "/dev/shm", prefix: "posthouse-simulation-" });
  } catch {
    return await Deno.makeTempDir({ prefix: "posthouse-simulation-" });
  }
}
