import type { Config } from "../config/schema.ts";
import type { ResolverOptions } from "../net/resolver.ts";

/** How names are resolved, from the configuration. */
export function dnsOptions({ dns: { servers, ...limits } }: Config): ResolverOptions {
  return servers.length === 0 ? limits : { servers, ...limits };
}
