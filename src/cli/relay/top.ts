import type { AdminClient } from "../../admin/client.ts";
import { systemClock } from "../../base/clock.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "../io.ts";
import { styleOf } from "../style.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";
import { screenOf, topFacts, topLines } from "./top_view.ts";

const DEFAULT_INTERVAL_MS = 2000;
const MIN_INTERVAL_MS = 200;

/** The other screen of the terminal, without cursor and without line wrap; and back. */
const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE_SCREEN = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** A live view of the running relay. */
export const topCommand: Command = {
  name: "top",
  summary: "Watch the running relay: rates, queue, transports and destinations.",
  details: "On a terminal the view is refreshed until q or Ctrl-C; otherwise it is written once.",
  flags: [
    { name: "interval", kind: "duration", value: "TIME", help: "Refresh interval. Default: 2s." },
    { name: "once", kind: "switch", help: "Write once, even on a terminal." },
    ...RELAY_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "top", does: "Watch until q" },
    { command: "top --once", does: "Write once" },
  ],
  run: top,
};

async function top(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  return await withRelay(invocation, async (client) => {
    if (flags.switch("json")) writeJson(io, await topFacts(client));
    else if (flags.switch("once") || !io.terminal.stdout) {
      io.out(`${await picture(io, client).then((lines) => lines.join("\n"))}\n`);
    } else await watch(io, { client, intervalMs: flags.number("interval") ?? DEFAULT_INTERVAL_MS });
    return EXIT.ok;
  });
}

async function picture(io: CliIo, client: AdminClient): Promise<string[]> {
  return topLines(await topFacts(client), { width: io.terminal.columns(), style: styleOf(io) });
}

/** Draws until somebody quits. */
async function watch(
  io: CliIo,
  { client, intervalMs }: { client: AdminClient; intervalMs: number },
): Promise<void> {
  const style = styleOf(io);
  let isOver = false;
  let wake = (): void => {};
  const quit = (): void => {
    isOver = true;
    wake();
  };
  using cleanup = new DisposableStack();
  cleanup.defer(io.onSignal(["SIGINT", "SIGTERM"], quit));
  cleanup.defer(io.stdin.onKey((key) => key === "q" || key === "\x03" ? quit() : wake()));
  // The first look is taken before the screen changes, so that trouble stays readable.
  let lines = await picture(io, client);
  io.out(ENTER_SCREEN);
  cleanup.defer(() => io.out(LEAVE_SCREEN));
  while (!isOver) {
    io.out(screenOf(lines, { rows: io.terminal.rows(), width: io.terminal.columns(), style }));
    await new Promise<void>((resolve) => {
      const cancel = systemClock.schedule(Math.max(MIN_INTERVAL_MS, intervalMs), resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
    if (!isOver) lines = await picture(io, client);
  }
}
