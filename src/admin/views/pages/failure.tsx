import { StoreError, type StoreErrorKind } from "../../../queue/store.ts";
import { reportFailure } from "../../http/errors.ts";
import type { Role } from "../../ports.ts";
import { Empty } from "../parts/boxes.tsx";
import type { Visit } from "../visit.tsx";

const STORE_ADVICE: Readonly<Record<StoreErrorKind, string>> = {
  full: "The disk or a quota is full. New mail is deferred. Free some space.",
  read_only: "The queue folder is not writable. Check its owner and the mount.",
  locked: "Another process uses the queue. Only one relay can use it.",
  corrupt: "The queue database is damaged. Restore it from a backup.",
  newer_schema: "A newer version wrote the queue. Run that version.",
  closed: "The relay is stopping.",
  unavailable: "The queue did not respond in time. Try again in a moment.",
};

/** Says what went wrong; causes that nobody foresaw stay in the log. */
export async function failurePage(visit: Visit, error: unknown): Promise<Response> {
  if (!(error instanceof StoreError)) return await unforeseenPage(visit, error);
  return await visit.show({
    title: "The queue does not respond",
    place: "",
    status: error.kind === "full" ? 507 : 503,
    children: (
      <section class="panel">
        <Empty icon="warning" title="The queue does not respond">
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
        <Empty icon="warning" title="Cannot show this page">
          <p>
            This is an error in the relay. Your mail is safe on disk and delivery continues. See the
            log for details.
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
        <Empty icon="search" title="Page not found">
          <p>The URL is wrong, or the item no longer exists.</p>
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
        <Empty icon="lock" title="The role is not sufficient">
          <p>
            It needs the role <b>{needed}</b>; {visit.caller.name} is a{" "}
            <b>{visit.caller.role}</b>. Ask a user with that role, or sign in as another user.
          </p>
        </Empty>
      </section>
    ),
  });
}
