import type { Account } from "./ledger.ts";
import type { MOMENTS } from "./plan.ts";
import type { WorldRelay } from "./relay.ts";
import type { World } from "./world.ts";

/** Mail that an ambush found, by its number in the plan, and the transport that it is with. */
export interface Prey {
  readonly number: number;
  readonly transport: string;
}

/** Mail that stands where somebody waits for it; null when none does. */
export function beset(
  relay: WorldRelay,
  { when, world }: { when: typeof MOMENTS[number]; world: World },
): Prey | null {
  const found = when === "lined"
    ? inLine(relay, world)
    : underWay(world, (account) => when === "trying" || account.isMisfit);
  return found.length === 0
    ? null
    : found[Math.floor(world.roll(`ambush ${when}`) * found.length)] ?? null;
}

function inLine({ scheduler }: WorldRelay, { ledger }: World): Prey[] {
  const found: Prey[] = [];
  for (const { waiting, transport } of scheduler.destinations) {
    for (const { entry } of waiting) {
      const number = ledger.numberOf(entry.message.id);
      if (number !== undefined) found.push({ number, transport: transport.name });
    }
  }
  return found;
}

function underWay({ ledger }: World, isWanted: (account: Account) => boolean): Prey[] {
  const found: Prey[] = [];
  for (const account of ledger.accounts) {
    if (account.openIn === null || !isWanted(account)) continue;
    const number = ledger.numberOf(account.messageId);
    if (number !== undefined) found.push({ number, transport: account.openBy });
  }
  return found;
}
