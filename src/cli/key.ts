import { Access } from "../admin/guard/access.ts";
import { AccessFileError } from "../admin/guard/access_file.ts";
import { rightsOf, type Scope, SCOPES } from "../admin/guard/scopes.ts";
import {
  type ApiKey,
  KEY_ROLES,
  type KeyRole,
  SENDER_CHECKS,
  type SenderCheck,
} from "../admin/ports.ts";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "./command.ts";
import { configOrProblems } from "./configuration.ts";
import { writeDone } from "./done.ts";
import type { FlagValues } from "./flags.ts";
import { EXIT, type ExitCode, writeJson } from "./io.ts";
import { styleOf } from "./style.ts";
import { formatTable } from "./table.ts";
import { printable, relativeTime } from "./text.ts";

/** Commands on the keys by which programs use the admin API. */
export const keyCommands: readonly Command[] = [
  {
    name: "key add",
    summary: "Create a key for the admin API; its secret is shown only once.",
    operands: "NAME",
    flags: [
      {
        name: "role",
        kind: "text",
        value: "ROLE",
        choices: KEY_ROLES,
        help: "Role of the key. A sender only submits mail. Default: viewer.",
      },
      {
        name: "scope",
        kind: "texts",
        value: "SCOPE",
        choices: SCOPES,
        help: "Scope instead of a role: submit mail, read, act on mail. May be repeated.",
      },
      {
        name: "sender",
        kind: "texts",
        value: "MAILBOX",
        help: "Mailbox the key may send as; * matches any text. Default: all. May be repeated.",
      },
      {
        name: "sender-check",
        kind: "text",
        value: "WHERE",
        choices: SENDER_CHECKS,
        help:
          "Where --sender applies: envelope (reverse-path), header (From, Sender, Resent-*) or " +
          "both. Default: both.",
      },
      {
        name: "for",
        kind: "duration",
        value: "TIME",
        help: "Lifetime of the key. Default: unlimited.",
      },
      CONFIG_FLAG,
      JSON_FLAG,
    ],
    examples: [
      { command: "key add monitoring", does: "A read-only key for monitoring" },
      { command: "key add deploy --role admin --for 1d", does: "An admin key that expires" },
      {
        command: "key add shop --scope send --sender '*@shop.example'",
        does: "A key that only sends mail",
      },
    ],
    run: add,
  },
  {
    name: "key list",
    summary: "List the keys of the admin API.",
    flags: [CONFIG_FLAG, JSON_FLAG],
    examples: [{ command: "key list", does: "List all keys" }],
    run: list,
  },
  {
    name: "key revoke",
    summary: "Revoke a key.",
    operands: "ID",
    flags: [CONFIG_FLAG, JSON_FLAG],
    examples: [{
      command: "key revoke 3fJx9aQ2",
      does: "Revoke the key with this id from key list",
    }],
    run: revoke,
  },
];

/** Opens the keys beside a running relay, which notices changes, or without one. */
async function withKeys(
  { io, flags }: Invocation,
  use: (keys: Access["keys"]) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = await configOrProblems(io, flags, ["data_dir", "admin"]);
  if (config === null) return EXIT.usage;
  const { keys } = new Access({
    path: `${config.dataDir}/access.json`,
    clock: systemClock,
    random: systemRandom,
    tokens: config.admin.tokens,
  });
  try {
    return await use(keys);
  } catch (error) {
    if (!(error instanceof AccessFileError || error instanceof Deno.errors.PermissionDenied)) {
      throw error;
    }
    io.err(`${error.message}\n`);
    return EXIT.failed;
  }
}

async function add(invocation: Invocation): Promise<ExitCode> {
  const { io, flags, operands: [name, ...more] } = invocation;
  if (name === undefined || name === "" || more.length > 0) {
    io.err("Name the key with one word.\n");
    return EXIT.usage;
  }
  const rights = rightsIn(flags);
  if (rights === null) {
    io.err("Use either --role or --scope.\n");
    return EXIT.usage;
  }
  const named = flags.texts("sender");
  const senders = named.length === 0 ? null : named;
  const senderCheck = flags.text("sender-check") as SenderCheck | undefined; // checked as a choice
  const forMs = flags.number("for");
  const expiresAtMs = forMs === undefined ? null : systemClock.now() + forMs;
  return await withKeys(invocation, async (keys) => {
    const created = await keys.create({
      name,
      ...rights,
      senders,
      ...(senderCheck === undefined ? {} : { senderCheck }),
      expiresAtMs,
      by: "command line",
    });
    if (flags.switch("json")) writeJson(io, created);
    else {
      io.err(`Created key ${created.key.id} (${rights.role}). Its secret is shown only once:\n`);
      io.out(`${created.secret}\n`);
    }
    return EXIT.ok;
  });
}

/** What the key may do; null when it is said in two ways. */
function rightsIn(flags: FlagValues): { role: KeyRole; send?: boolean } | null {
  const scopes = flags.texts("scope") as readonly Scope[]; // checked as choices
  const role = flags.text("role") as KeyRole | undefined; // so is this
  if (scopes.length === 0) return { role: role ?? "viewer" };
  return role === undefined ? rightsOf(scopes) : null;
}

async function list(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  return await withKeys(invocation, async (keys) => {
    const items = await keys.list();
    if (flags.switch("json")) writeJson(io, { items });
    else if (items.length === 0) io.out("No keys.\n");
    else writeTable(invocation, items);
    return EXIT.ok;
  });
}

function writeTable({ io }: Invocation, items: readonly ApiKey[]): void {
  const nowMs = systemClock.now();
  const timeOf = (atMs: number | null): string => atMs === null ? "-" : relativeTime(atMs, nowMs);
  io.out(formatTable(items, {
    width: io.terminal.columns(),
    style: styleOf(io),
    columns: [
      { header: "ID", cell: ({ id }) => printable(id) },
      { header: "NAME", cell: ({ name }) => printable(name), minWidth: 12 },
      { header: "ROLE", cell: ({ role }) => role },
      { header: "SENDS AS", cell: sendsAs, minWidth: 8 },
      { header: "IN", cell: ({ source }) => source },
      {
        header: "MADE",
        cell: ({ createdAtMs, source }) => source === "config" ? "-" : timeOf(createdAtMs),
      },
      { header: "BY", cell: ({ createdBy }) => printable(createdBy) },
      { header: "ENDS", cell: ({ expiresAtMs }) => timeOf(expiresAtMs) },
    ],
  }));
}

function sendsAs({ send, senders }: ApiKey): string {
  if (!send) return "-";
  return senders === null ? "anybody" : printable(senders.join(" "));
}

async function revoke(invocation: Invocation): Promise<ExitCode> {
  const { io, operands: [id, ...more] } = invocation;
  if (id === undefined || more.length > 0) {
    io.err("Name one key by its id; see posthouse key list.\n");
    return EXIT.usage;
  }
  return await withKeys(invocation, async (keys) => {
    if (await keys.revoke(id)) {
      writeDone(invocation, { line: `Revoked ${id}.`, value: { id } });
      return EXIT.ok;
    }
    const isConfigured = (await keys.list()).some((key) => key.id === id);
    io.err(
      isConfigured
        ? `${id} is defined in the config file; remove it there.\n`
        : `There is no key ${id}; see posthouse key list.\n`,
    );
    return EXIT.failed;
  });
}
