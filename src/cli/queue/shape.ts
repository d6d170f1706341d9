import { mainReason, reasonWords } from "../../admin/queue_by_domain.ts";
import type { Crowd, QueueShape } from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { type Style, styleOf } from "../style.ts";
import { type Column, formatTable } from "../table.ts";
import { counted, printable } from "../text.ts";
import { ACCESS_FLAGS, withMessages } from "./access.ts";

const MINUTE_MS = 60_000;
/** As Postfix's `qshape`: each age is twice the one before. */
const AGES_MINUTES = [5, 10, 20, 40, 80, 160, 320, 640, 1280];
const AGES_MS = AGES_MINUTES.map((minutes) => minutes * MINUTE_MS);
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;
const LAST_MINUTES = 1280;

/** Shows what waits, by domain, age and reason. */
export const queueShapeCommand: Command = {
  name: "queue shape",
  summary: "Show how many recipients wait for each domain, for how long, and why.",
  details:
    "Like Postfix's qshape: ages in minutes, T is the total. Counts cover the whole queue and " +
    "are exact; ages are rounded to five minutes.",
  flags: [
    { name: "domain", kind: "text", value: "DOMAIN", help: "Only this domain, with its reasons." },
    { name: "limit", kind: "count", value: "N", help: `Most domains. Default: ${DEFAULT_LIMIT}.` },
    ...ACCESS_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "queue shape", does: "List the domains with the most waiting mail" },
    { command: "queue shape --domain example.net", does: "Show why mail for a domain waits" },
  ],
  run: shape,
};

async function shape(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const domain = flags.text("domain")?.toLowerCase();
  const limit = Math.min(flags.number("limit") ?? DEFAULT_LIMIT, MAX_LIMIT);
  return await withMessages(invocation, async (queue) => {
    const found = await queue.shape({
      ...{ nowMs: Date.now(), agesMs: AGES_MS, limit },
      ...(domain === undefined ? {} : { domain }),
    });
    const options = { width: io.terminal.columns(), style: styleOf(io) };
    if (flags.switch("json")) writeJson(io, found);
    else if (found.recipients === 0) io.out("Nothing waits.\n");
    else if (domain === undefined) io.out(domainsTable(found, options));
    else io.out(reasonsTable(found, options));
    return EXIT.ok;
  });
}

/** A line for all, then one for each domain. */
function domainsTable(shape: QueueShape, options: { width: number; style: Style }): string {
  const rows = [
    { name: "TOTAL", crowd: shape, why: "" },
    ...shape.domains.map((domain) => ({
      ...{ name: printable(domain.domain), crowd: domain, why: mainReason(domain) },
    })),
  ];
  const rest = shape.domainCount - shape.domains.length;
  const more = rest > 0 ? `${options.style.dim(`${counted(rest, "more domain")}`)}\n` : "";
  return `${formatTable(rows, { ...options, columns: columnsOf("DOMAIN") })}${more}`;
}

function reasonsTable(shape: QueueShape, options: { width: number; style: Style }): string {
  const rows = [
    { name: "TOTAL", crowd: shape, why: "" },
    ...shape.reasons.map((crowd) => ({
      ...{ name: reasonWords(crowd.state, crowd.reason), crowd, why: "" },
    })),
  ];
  return formatTable(rows, { ...options, columns: columnsOf("REASON").slice(0, -1) });
}

interface Row {
  readonly name: string;
  readonly crowd: Crowd;
  readonly why: string;
}

function columnsOf(first: string): Column<Row>[] {
  return [
    { header: first, cell: ({ name }) => name, minWidth: 16 },
    { header: "T", cell: ({ crowd }) => String(crowd.recipients), align: "right" },
    ...[...AGES_MINUTES.map(String), `${LAST_MINUTES}+`].map((header, age): Column<Row> => ({
      header,
      cell: ({ crowd }) => String(crowd.ages[age] ?? 0),
      align: "right",
    })),
    { header: "WHY", cell: ({ why }) => why, minWidth: 12, leaves: 1 },
  ];
}
