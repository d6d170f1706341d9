import type { QueueCommand } from "../../src/queue/store.ts";
import type { Operation } from "./plan.ts";
import { domainOf, type WorldRelay } from "./relay.ts";
import type { World } from "./world.ts";

const BY = "user ada";

/** Does what an operator does at the dashboard; what the store refuses is not done. */
export async function operate(
  relay: WorldRelay,
  { operation, world }: { operation: Operation; world: World },
): Promise<void> {
  switch (operation.kind) {
    case "pause":
    case "resume":
      return await pauseOrResume(relay, { operation, world });
    case "flush":
      return void await relay.destinationsPort.flush(operation.domain, { by: BY });
    case "reset":
      return await relay.transportsPort.reset(operation.transport, { by: BY });
    case "suppress":
      world.ledger.suppressed.add(operation.mailbox);
      return await relay.suppressions.add({
        ...{ address: operation.mailbox, reason: "asked for it", source: BY, expiresAtMs: null },
      });
    case "send_again": {
      const [id] = world.ledger.idsOf(operation.mail);
      if (id !== undefined) await relay.queue.sendAgain({ id, by: BY });
      return;
    }
    default:
      return await command(relay, { operation, world });
  }
}

async function pauseOrResume(
  { destinationsPort, transportsPort }: WorldRelay,
  { operation: { kind, what, name, forMs }, world }: {
    operation: Extract<Operation, { what: string }>;
    world: World;
  },
): Promise<void> {
  const port = what === "domain" ? destinationsPort : transportsPort;
  if (kind === "resume") return void await port.resume(name, { by: BY });
  const untilMs = forMs === null ? null : world.clock.wallMs + forMs;
  await port.pause(name, { reason: "wanted", by: BY, untilMs });
}

type Commanding = Extract<Operation, { mail: number | null }>;

async function command(
  relay: WorldRelay,
  { operation, world }: { operation: Exclude<Commanding, { kind: "send_again" }>; world: World },
): Promise<void> {
  const { mail, kind } = operation;
  const ids = mail === null ? null : world.ledger.idsOf(mail);
  if (ids?.length === 0) return;
  if (kind === "cancel" || kind === "bounce" || kind === "readdress") {
    for (const id of ids ?? []) world.ledger.commanded.add(id);
  }
  const filter = {
    ...(ids === null ? {} : { ids }),
    ...("domain" in operation ? { domain: operation.domain } : {}),
  };
  const { ledger } = world;
  const isWhole = filter.domain === undefined;
  if (kind !== "hold") { for (const id of ids ?? [...ledger.held]) ledger.held.delete(id); }
  if (kind === "reroute") ledger.rerouted(ids ?? [null]);
  try {
    await relay.queue.command({ filter, command: commandOf(operation), by: BY });
  } finally { // where the answer was lost, the store says whether it was done
    for (const id of isWhole ? ids ?? [] : []) {
      if (kind === "cancel") ledger.cancelled.add(id);
      if (kind === "hold") ledger.held.add(id);
    }
  }
}

function commandOf(operation: Exclude<Commanding, { kind: "send_again" }>): QueueCommand {
  switch (operation.kind) {
    case "reroute":
      return { kind: "reroute", transport: operation.transport };
    case "readdress": {
      const { remove, add } = operation;
      return {
        kind: "readdress",
        ...(remove === null ? {} : { remove }),
        add: [{ forwardPath: add, domain: domainOf(add) }],
      };
    }
    default:
      return { kind: operation.kind };
  }
}
