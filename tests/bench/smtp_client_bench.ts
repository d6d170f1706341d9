/**
 * How many messages a second the client MTA hands to `smtp-sink`:
 *
 *     deno run -A tests/bench/smtp_client_bench.ts [--messages 20000] [--senders 20] [--bytes 2048]
 *
 * Prints one JSON line with the rate and the CPU time of this process for each message.
 */
import { parseArgs } from "@std/cli/parse-args";
import { systemClock } from "../../src/base/clock.ts";
import { Deadlines } from "../../src/base/deadlines.ts";
import { systemRandom } from "../../src/base/random.ts";
import { SmarthostTransport } from "../../src/delivery/smarthost.ts";
import { dial } from "../../src/net/dial.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { smtpServices } from "../support/smtp_services.ts";
import { startCountingSink } from "../support/load.ts";

const flags = parseArgs(Deno.args, { string: ["messages", "senders", "bytes"] });
const messages = Number(flags["messages"] ?? 20_000);
const senders = Number(flags["senders"] ?? 20);
const sizeBytes = Number(flags["bytes"] ?? 2048);

await using sink = await startCountingSink();
using deadlines = new Deadlines({ clock: systemClock });
using nobody = smtpServices();
await using transport = new SmarthostTransport({
  name: "bench",
  hosts: [{ host: "127.0.0.1", port: sink.port }],
  heloName: "relay.example",
  services: {
    clock: systemClock,
    random: systemRandom,
    deadlines,
    dial,
    resolver: nobody.resolver,
    onError: (error) => reportError(error),
  },
});

const job = sampleJob({ body: "x".repeat(62).concat("\r\n").repeat(Math.ceil(sizeBytes / 64)) });
const { signal } = new AbortController();

async function send(count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    const { outcomes } = await transport.deliver(job, { signal });
    if (outcomes[0]?.kind !== "delivered") throw new Error(Deno.inspect(outcomes));
  }
}

async function run(count: number): Promise<void> {
  await Promise.all(Array.from({ length: senders }, () => send(Math.ceil(count / senders))));
}

function cpuMs(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10; // user and system, in ticks of 10 ms
}

await run(messages / 10); // warm up
const startedMs = performance.now();
const startedCpuMs = cpuMs();
await run(messages);
const seconds = (performance.now() - startedMs) / 1000;
// deno-lint-ignore no-console -- what it prints is what it is for
console.log(JSON.stringify({
  messages,
  senders,
  sizeBytes: job.body.sizeBytes,
  messagesPerSecond: Math.round(messages / seconds),
  cpuMicrosPerMessage: Math.round((cpuMs() - startedCpuMs) * 1000 / messages),
}));
