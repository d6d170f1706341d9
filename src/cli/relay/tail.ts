import type { AdminClient } from "../../admin/client.ts";
import { EVENT_LEVELS, type EventLevel } from "../../observe/event_level.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import type { FlagValues } from "../flags.ts";
import { type CliIo, EXIT, type ExitCode, jsonText } from "../io.ts";
import { type Style, styleOf } from "../style.ts";
import { pad, printable } from "../text.ts";
import { ask } from "./ask.ts";
import { type EventQuery, type EventView, follow } from "./follow.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";

const DEFAULT_LAST = 10;
const MAX_LAST = 1000;

/** Shows what the running relay does, as it does it. */
export const tailCommand: Command = {
  name: "tail",
  summary: "Follow the events of the running relay.",
  details: "Starts with the latest matching events and follows until Ctrl-C. After a lost " +
    "connection it reconnects and shows the missed events. With --json each line is one " +
    "event.",
  flags: [
    { name: "type", kind: "texts", value: "TYPE", help: "Event type, such as delivered." },
    {
      name: "level",
      kind: "text",
      value: "LEVEL",
      choices: EVENT_LEVELS,
      help: "Lowest level. Default: info.",
    },
    { name: "message", kind: "text", value: "ID", help: "Events of this message." },
    {
      name: "text",
      kind: "text",
      value: "TEXT",
      help: "Lines that contain this text, case-insensitive.",
    },
    {
      name: "last",
      short: "n",
      kind: "count",
      value: "N",
      help: `Earlier events to start with. Default: ${DEFAULT_LAST}.`,
    },
    { name: "once", kind: "switch", help: "Show earlier events and exit." },
    ...RELAY_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "tail", does: "Follow all events" },
    { command: "tail --type deferred --text example.net", does: "Deferrals by a domain" },
    { command: "tail --level warning --json", does: "Events that need attention, as JSON" },
  ],
  run: tail,
};

async function tail(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const stopped = new AbortController();
  const ignore = io.onSignal(["SIGINT", "SIGTERM"], () => stopped.abort());
  try {
    return await withRelay(invocation, async (client) => {
      const show = shower(io, flags);
      const afterId = await showLast(client, { flags, show });
      if (flags.switch("once")) return EXIT.ok;
      const notice = styleOf(io, "stderr").yellow;
      const tell = (text: string): void => io.err(`${notice(text)}\n`);
      const query = queryOf(flags);
      await follow(client, { query, show, tell, afterId, signal: stopped.signal });
      return EXIT.ok;
    });
  } finally {
    ignore();
  }
}

/** Shows the last events and returns the id after which news begin. */
async function showLast(
  client: AdminClient,
  { flags, show }: { flags: FlagValues; show: (event: EventView) => void },
): Promise<number> {
  const wanted = flags.number("last") ?? DEFAULT_LAST;
  const limit = String(Math.min(Math.max(1, wanted), MAX_LAST));
  const query = { ...queryOf(flags), limit };
  const { items, lastId } = await ask(client.events.recent.$get({ query }));
  if (wanted > 0) { for (const event of items.toReversed()) show(event); }
  return lastId;
}

function queryOf(flags: FlagValues): EventQuery {
  const types = flags.texts("type");
  const message = flags.text("message");
  const text = flags.text("text");
  return {
    level: (flags.text("level") ?? "info") as EventLevel, // checked as choices
    ...(types.length === 0 ? {} : { type: [...types] }),
    ...(message === undefined ? {} : { message }),
    ...(text === undefined ? {} : { text }),
  };
}

function shower(io: CliIo, flags: FlagValues): (event: EventView) => void {
  if (flags.switch("json")) return (event) => io.out(`${jsonText(event)}\n`);
  const style = styleOf(io);
  return (event) => io.out(`${lineOf(event, style)}\n`);
}

function lineOf({ atMs, level, text, event }: EventView, style: Style): string {
  const id = event["messageId"] ?? event["sessionId"];
  const about = typeof id === "string" ? ` ${style.cyan(printable(id))}` : "";
  const word = pad(level, 7);
  const marked = { debug: style.dim, info: style.green, warning: style.yellow, error: style.red };
  const time = style.dim(new Date(atMs).toISOString().slice(11, 23));
  return `${time} ${marked[level](word)}${about} ${printable(text)}`;
}
