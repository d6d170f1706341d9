import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { AdminEnv } from "../env.ts";
import type { EventSink } from "../../observe/events.ts";
import { StoreError } from "../../queue/store.ts";
import { problem } from "./problem.ts";

/** Has the log tell what failed, and why. */
export function reportFailure(
  cause: unknown,
  { c, emit }: { c: Context<AdminEnv>; emit: EventSink },
): void {
  const message = `Cannot answer ${c.req.method} ${new URL(c.req.url).pathname}`;
  emit({ type: "trouble", level: "error", component: "admin", message, cause });
}

/**
 * Answers for handlers that threw. The client learns the kind of failure, the log its cause.
 */
export function onError(emit: EventSink): (error: Error, c: Context<AdminEnv>) => Response {
  return (error, c) => {
    if (error instanceof HTTPException && error.status === 400) return problem(c, "malformed-body");
    // The client went away while it sent its request, and nobody hears the answer.
    if (c.req.raw.signal.aborted) return problem(c, "malformed-body");
    reportFailure(error, { c, emit });
    if (!(error instanceof StoreError)) return problem(c, "internal");
    if (error.kind === "full") return problem(c, "full");
    return problem(c, "unavailable", { headers: { "retry-after": "10" } });
  };
}
