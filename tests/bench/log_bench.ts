/**
 * What one event costs in the log, buffered writes included:
 * `deno bench tests/bench/log_bench.ts`.
 */
import { systemClock } from "../../src/base/clock.ts";
import { configureLogging, type Logging } from "../../src/observe/log_sink.ts";
import type { RelayEvent } from "../../src/observe/events.ts";

const EVENTS_PER_RUN = 1000;

let written = 0;

const delivered: RelayEvent = {
  type: "delivered",
  messageId: "01JZ0000000000M1",
  recipient: "bob.example@mail.example.com",
  transport: "mx",
  destination: "mail.example.com",
  remote: "mx1.mail.example.com[192.0.2.1]:25",
  tls: "TLSv1.3",
  reply: "250 2.0.0 Ok: queued as 4ZqXyz1234",
  attempts: 1,
  delayMs: 123,
};

const opened: RelayEvent = {
  type: "session_opened",
  sessionId: "01JZ0000000000S1",
  listener: "smtp",
  clientAddress: "192.0.2.1",
  clientPort: 4711,
};

async function run(logging: Logging, event: RelayEvent): Promise<void> {
  for (let count = 0; count < EVENTS_PER_RUN; count++) logging.sink(event);
  await logging.flush();
}

for (const format of ["json", "text"] as const) {
  Deno.bench(`1000 events as ${format}`, { group: "log" }, async (bench) => {
    await using logging = configureLogging({
      level: "info",
      format,
      clock: systemClock,
      write: (bytes) => void (written += bytes.length),
    });
    bench.start();
    await run(logging, delivered);
    bench.end();
  });
}

Deno.bench("1000 events below the level", { group: "log" }, async (bench) => {
  await using logging = configureLogging({
    level: "info",
    format: "json",
    clock: systemClock,
    write: (bytes) => void (written += bytes.length),
  });
  bench.start();
  await run(logging, opened);
  bench.end();
});
