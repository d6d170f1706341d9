import { hc } from "hono/client";
import type { Api } from "./api/mod.ts";

export interface AdminClientOptions {
  /** Secret of an API key; absent where the relay is open for this machine. */
  readonly key?: string;
  readonly fetch?: typeof fetch;
}

/** The API as typed functions. */
export type AdminClient = ReturnType<typeof hc<Api>>;

/**
 * A client of the admin API: `client.messages.$get({ query: { domain: "example.net" } })`.
 *
 * @param origin where the relay's admin API is, as `http://127.0.0.1:8025`.
 */
export function adminClient(origin: string, options: AdminClientOptions = {}): AdminClient {
  return hc<Api>(new URL("/api/v1", origin).href, {
    headers: options.key === undefined ? {} : { authorization: `Bearer ${options.key}` },
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
}
