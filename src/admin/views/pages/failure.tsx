import { StoreError, type StoreErrorKind } from "../../../queue/store.ts";
import { reportFailure } from "../../http/errors.ts";
import type { Role } from "../../ports.ts";
import { Empty } from "../parts/boxes.tsx";
import type { Visit } from "../visit.tsx";

const STORE_ADVICE: Readonly<Record<StoreErrorKind, string>> = {
  full: "The disk is full, or a quota is used up. New mail is refused for now; free some space.",
  read_only: "The folder of the queue cannot be written. Check its owner and the mount.",
  locked: "Another process holds the queue. Only one relay can use it.",
  corrupt: "The file of the queue is damaged. Restore it from a backup.",
  newer_schema: "The queue was written by a newer version. Run that one.",
  closed: "The relay is stopping.",
  unavailable: "It did not answer in time. Try again in a moment.",
};

/** Says what went wrong; causes that nobody foresaw stay in the log. */
export async function failurePage(visit: Visit, error: unknown): Promise<Response> {
  if (!(error instanceof StoreError)) return await unforeseenPage(visit, error);
  return await visit.show({
    title: "The queue does not answer",
    place: "",
    status: error.kind === "full" ? 507 : 503,
    children: (
      <section class="panel">
        <Empty icon="warning" title="The queue does not answer">
          <p>{STORE_ADVICE[error.kind]}</p>
          <p class="reply">{error.message}</p>
          <div class="button-row">
            <a class="button" href={visit.c.req.method === "GET" ? visit.c.req.path : "/"}>
              Try again
            </a>
            <a class="button" href="/log?level=warning">See the log</a>
          </div>
        </Empty>
      </section>
    ),
  });
}

async function unforeseenPage(visit: Visit, error: unknown): Promise<Response> {
  reportFailure(error, { c: visit.c, emit: visit.events });
  return await visit.show({
    title: "This page failed",
    place: "",
    status: 500,
    children: (
      <section class="panel">
        <Empty icon="warning" title="This page could not be made">
          <p>
            That is a mistake in the relay, not in your mail, which is safe on disk and goes on. The
            log tells what failed.
          </p>
          <div class="button-row">
            <a class="button" href="/log?level=error">See the log</a>
            <a class="button" href="/">Overview</a>
          </div>
        </Empty>
      </section>
    ),
  });
}

/** The address means nothing. */
export async function notFoundPage(visit: Visit): Promise<Response> {
  return await visit.show({
    title: "Not found",
    place: "",
    status: 404,
    children: (
      <section class="panel">
        <Empty icon="search" title="There is no such page">
          <p>The address may be mistyped, or what it named is no longer known.</p>
          <div class="button-row">
            <a class="button" href="/">Overview</a>
            <a class="button" href="/queue">Queue</a>
          </div>
        </Empty>
      </section>
    ),
  });
}

/** The caller may not do it. */
export async function forbiddenPage(visit: Visit, needed: Role): Promise<Response> {
  return await visit.show({
    title: "Not allowed",
    place: "",
    status: 403,
    children: (
      <section class="panel">
        <Empty icon="lock" title="This needs another role">
          <p>
            It needs the role <b>{needed}</b>; {visit.caller.name} is a{" "}
            <b>{visit.caller.role}</b>. Ask somebody with that role, or sign in as another user.
          </p>
        </Empty>
      </section>
    ),
  });
}
