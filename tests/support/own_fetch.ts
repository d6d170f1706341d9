import { fetchFrom, type OwnFetch } from "../../src/net/http_fetch.ts";

const own = fetchFrom({});

/** Requests as the relay makes them, each on a connection that nobody keeps. */
export const fetch: OwnFetch["fetch"] = (url, init) =>
  own.fetch(url, {
    ...init,
    headers: { ...init.headers, connection: "close" },
  });
