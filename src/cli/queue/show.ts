import { formatSize } from "../../observe/quantities.ts";
import type { MessageDetail } from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "../io.ts";
import { styleOf } from "../style.ts";
import { formatTable } from "../table.ts";
import { pad, printable, relativeTime } from "../text.ts";
import { ACCESS_FLAGS, withMessages } from "./access.ts";
import { readFilter } from "./filter.ts";
import { senderText } from "./list.ts";
import { timelineTable } from "./timeline.ts";

/** Shows everything about one message but its octets. */
export const queueShowCommand: Command = {
  name: "queue show",
  summary: "Show one message with its recipients and timeline.",
  operands: "ID",
  flags: [...ACCESS_FLAGS, JSON_FLAG],
  examples: [
    { command: "queue show 01JZ3V9KQ8M2XW4T", does: "See why a message is late" },
    { command: "queue show 01JZ3V9KQ8M2XW4T --json", does: "The same as JSON" },
  ],
  run: show,
};

async function show(invocation: Invocation): Promise<ExitCode> {
  const { io, flags, operands } = invocation;
  const nowMs = Date.now();
  const read = readFilter(invocation, nowMs);
  const [id, ...more] = operands;
  if (read.kind === "wrong" || id === undefined || more.length > 0) {
    io.err(`${read.kind === "wrong" ? read.reason : "Name one message by its queue id."}\n`);
    return EXIT.usage;
  }
  return await withMessages(invocation, async (queue) => {
    const detail = await queue.get(id.toUpperCase());
    if (detail === null) {
      io.err(`There is no message ${id}.\n`);
      return EXIT.failed;
    }
    if (flags.switch("json")) writeJson(io, detail);
    else writeDetail(io, { detail, nowMs });
    return EXIT.ok;
  });
}

/** Writes a message, its recipients and its timeline for people. */
export function writeDetail(
  io: CliIo,
  { detail, nowMs }: { detail: MessageDetail; nowMs: number },
): void {
  const style = styleOf(io);
  const facts = factsOf(detail, nowMs);
  for (const [name, value] of facts) io.out(`${style.dim(pad(name, 9))} ${printable(value)}\n`);
  const options = { width: io.terminal.columns(), style };
  io.out(`\n${
    formatTable(detail.recipients, {
      ...options,
      columns: [
        { header: "#", cell: ({ index }) => String(index), align: "right" },
        { header: "RECIPIENT", cell: ({ forwardPath }) => printable(forwardPath), minWidth: 12 },
        { header: "STATE", cell: ({ state }) => state },
        { header: "TRIES", cell: ({ attempts }) => String(attempts), align: "right" },
        {
          header: "NEXT",
          cell: ({ state, nextAttemptAtMs, claimedBy }) =>
            state !== "queued"
              ? "-"
              : claimedBy === null
              ? relativeTime(nextAttemptAtMs, nowMs)
              : "under way",
        },
        { header: "LAST REPLY", cell: ({ lastReply }) => printable(lastReply), minWidth: 10 },
      ],
    })
  }`);
  if (detail.timeline.length > 0) io.out(`\n${timelineTable(detail.timeline, options)}`);
}

function factsOf({ message, hasBody }: MessageDetail, nowMs: number): [string, string][] {
  const { origin, summary, facts } = message;
  const client = origin.clientAddress === "" ? "" : ` from ${origin.clientAddress}`;
  const times = `${new Date(message.receivedAtMs).toISOString()} (${
    relativeTime(message.receivedAtMs, nowMs)
  })`;
  return [
    ["Message", message.id],
    ["Received", `${times} on ${origin.listener}${client}, ${origin.protocol}`],
    ["Sender", senderText(message.reversePath)],
    ["From", summary.from],
    ["Subject", summary.subject],
    ["Size", `${formatSize(facts.sizeBytes)}${hasBody ? "" : ", content removed"}`],
    ["Expires", relativeTime(message.expiresAtMs, nowMs)],
  ];
}
