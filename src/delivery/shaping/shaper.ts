import type { Clock } from "../../base/clock.ts";
import type { Resolver } from "../../net/resolver.ts";
import type { Transport } from "../transport.ts";
import { ExchangerBook } from "./exchangers.ts";
import { Gate } from "./gate.ts";
import { LimiterBook } from "./limiter_book.ts";
import {
  type CompiledShapingRule,
  compileShapingRule,
  type ShapingFacts,
  type ShapingRule,
} from "./rules.ts";

/** Mail on its way to a transport. */
export interface ShapedMail {
  readonly transport: Pick<Transport, "name" | "kind">;
  readonly route: string;
  readonly domain: string;
}

/** What was made once is made again after so many other lanes. */
const MAX_LANES = 20_000;

/** Finds the limits of destinations, from rules that may change. */
export class Shaper {
  readonly #exchangers: ExchangerBook;
  readonly #book: LimiterBook;
  #rules: readonly CompiledShapingRule[] = [];
  #asksExchangers = false;
  readonly #lanes = new Map<string, string>();

  constructor(
    rules: readonly ShapingRule[],
    { resolver, clock }: { resolver: Pick<Resolver, "mx">; clock: Clock },
  ) {
    this.#book = new LimiterBook({ clock });
    this.#exchangers = new ExchangerBook({ resolver, clock });
    this.replaceRules(rules);
  }

  /** Whether there are rules at all. */
  get isActive(): boolean {
    return this.#rules.length > 0;
  }

  /** What was counted by each rule. */
  get book(): LimiterBook {
    return this.#book;
  }

  /** Uses other rules from now on; those that keep their name keep what they counted. */
  replaceRules(rules: readonly ShapingRule[]): void {
    this.#rules = rules.map(compileShapingRule);
    this.#asksExchangers = rules.some(({ match }) => match.mx !== undefined);
    this.#book.replaceRules(rules);
    this.#lanes.clear();
  }

  /**
   * Mail of one destination for which other rules hold waits in a line of its own; this names it,
   * empty for the ordinary one. A promise when the exchangers must be looked up first; ask again
   * when it resolves.
   */
  laneOf(mail: ShapedMail): string | Promise<void> {
    if (this.#rules.length === 0) return "";
    const { transport, route, domain } = mail;
    const key = `${transport.name}\0${route}\0${domain}`;
    const known = this.#lanes.get(key);
    if (known !== undefined && !this.#asksExchangers) return known;
    const facts = this.#factsOf(mail);
    if (facts === null) return this.#exchangers.lookUp(domain);
    const lane = this.#rulesFor(facts).filter(({ splitsDestinations }) => splitsDestinations)
      .map(({ rule }) => this.#rules.findIndex((one) => one.rule === rule)).join(",");
    if (this.#lanes.size >= MAX_LANES) this.#lanes.clear();
    this.#lanes.set(key, lane);
    return lane;
  }

  /** The gate of a destination for mail whose lane is known; null when no rule fits. */
  gateOf(mail: ShapedMail, destination: string): Gate | null {
    if (this.#rules.length === 0) return null;
    const facts = this.#factsOf(mail);
    const rules = facts === null ? [] : this.#rulesFor(facts);
    if (rules.length === 0) return null;
    const place = [mail.transport.name, destination] as const;
    return new Gate(rules.map(({ rule }) => this.#book.limiterOf(rule, place)));
  }

  /** The rules that hold for mail; null when its exchangers must be looked up first. */
  rulesFor(mail: ShapedMail): readonly ShapingRule[] | null {
    const facts = this.#factsOf(mail);
    return facts === null ? null : this.#rulesFor(facts).map(({ rule }) => rule);
  }

  #factsOf({ transport, route, domain }: ShapedMail): ShapingFacts | null {
    const asks = this.#asksExchangers && transport.kind === "mx";
    const exchangers = asks ? this.#exchangers.get(domain) : [];
    return exchangers === null ? null : { transport: transport.name, route, domain, exchangers };
  }

  #rulesFor(facts: ShapingFacts): readonly CompiledShapingRule[] {
    return this.#rules.filter(({ fits }) => fits(facts));
  }
}
