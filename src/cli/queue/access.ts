import type {
  ListRequest,
  MessageDetail,
  MessageFilter,
  MessagePage,
  QueueCommand,
  QueueShape,
  QueueStore,
  ShapeRequest,
} from "../../queue/store.ts";
import { commandOutline } from "../../webhooks/command_outline.ts";
import type { Flag, Invocation } from "../command.ts";
import type { ExitCode } from "../io.ts";
import { RELAY_FLAGS, withRelay } from "../relay/open.ts";
import { DATA_DIR_FLAG, withQueue } from "./open.ts";
import { remoteQueue } from "./remote.ts";

/** Who changed something, in timelines. */
const ACTOR = "command line";

/** The flags that say which queue is meant: one on this machine, or that of a relay elsewhere. */
export const ACCESS_FLAGS: readonly Flag[] = [...RELAY_FLAGS, DATA_DIR_FLAG];

/** What commands do with the messages of a queue, wherever it is. */
export interface QueueAccess {
  list(request: ListRequest): Promise<MessagePage>;
  count(filter: MessageFilter): Promise<number>;
  shape(request: ShapeRequest): Promise<QueueShape>;
  get(messageId: string): Promise<MessageDetail | null>;
  /** Returns how many messages it changed. */
  command(request: { filter: MessageFilter; command: QueueCommand }): Promise<number>;
}

/**
 * Whether a relay is asked by its admin API: where `--url` or `POSTHOUSE_URL` names one, unless
 * `--data-dir` names a folder.
 */
export function isElsewhere({ io, flags }: Pick<Invocation, "io" | "flags">): boolean {
  if (flags.text("data-dir") !== undefined) return false;
  return (flags.text("url") ?? io.env("POSTHOUSE_URL") ?? "") !== "";
}

/**
 * Calls `use` with the messages of the relay that was named, or of the queue on this machine,
 * beside a running relay or without one. Trouble is reported in one line.
 */
export async function withMessages(
  invocation: Invocation,
  use: (queue: QueueAccess) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (isElsewhere(invocation)) {
    return await withRelay(invocation, (client) => use(remoteQueue(client)));
  }
  return await withQueue(
    invocation,
    (store, { webhooks }) => use(localQueue(store, { tells: webhooks.length > 0 })),
  );
}

/** `tells` is whether somebody is told what becomes of messages. */
function localQueue(store: QueueStore, { tells }: { tells: boolean }): QueueAccess {
  return {
    list: (request) => store.list(request),
    count: (filter) => store.count(filter),
    shape: (request) => store.shape(request),
    get: (messageId) => store.get(messageId),
    command({ filter, command }) {
      const event = tells ? commandOutline(command.kind, ACTOR) : null;
      return store.command({
        ...{ filter, command, nowMs: Date.now(), by: ACTOR },
        ...(event === null ? {} : { event }),
      });
    },
  };
}
