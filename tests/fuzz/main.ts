/**
 * Fuzzes what strangers' octets reach: `deno task fuzz [TARGET…] [--inputs=N] [--seed=S]`. Without
 * targets, all of them. Inputs that fail are written to `tests/corpus/fuzz/TARGET/`.
 */
import { cpuUsage } from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { fuzz } from "./fuzzer.ts";
import { TARGETS } from "./targets.ts";

const LIMIT_MS = 50;
const args = parseArgs(Deno.args, {
  default: { inputs: 1_000_000, seed: 1 },
  string: ["_"],
});
const names = args._.length === 0 ? Object.keys(TARGETS) : args._.map(String);
let isGood = true;
for (const name of names) {
  const target = TARGETS[name];
  if (target === undefined) throw new Error(`Cannot fuzz ${name}: it is none of the targets`);
  const report = await fuzz(target, {
    inputs: Number(args.inputs),
    seed: Number(args.seed),
    now: cpuMs,
  });
  const { inputs, blocks, kept, failures, slowest } = report;
  say(
    `${name.padEnd(12)} ${inputs} inputs, ${blocks} blocks, ${kept} kept, ` +
      `${failures.length} failures, slowest ${slowest.tookMs.toFixed(1)} ms`,
  );
  isGood &&= failures.length === 0 && slowest.tookMs < LIMIT_MS;
  for (const { input, error } of failures) await keep(name, { input, why: String(error) });
  if (slowest.tookMs >= LIMIT_MS) await keep(name, { input: slowest.input, why: "slow" });
}
Deno.exit(isGood ? 0 : 1);

async function keep(name: string, { input, why }: { input: Uint8Array; why: string }) {
  const folder = new URL(`../corpus/fuzz/${name}/`, import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  const digest = await crypto.subtle.digest("SHA-256", input.slice());
  const file = new URL(`${new Uint8Array(digest).toHex().slice(0, 16)}.bin`, folder);
  await Deno.writeFile(file, input);
  say(`  ${file.pathname}: ${why}`);
}

/** The time that this process had, which a busy machine does not stretch. */
function cpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
