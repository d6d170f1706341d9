import { z } from "zod";
import { RELAY_SCHEMAS, type RelayType } from "../../relay/schemas.ts";
import { count, duration, table } from "../fields.ts";
import { durationMs } from "../units.ts";
import { apiOriginKeys, type OriginConfig, originConfig } from "./transport_proxy.ts";

/** Delivery through an HTTP API. */
export interface RelayTransportConfig extends OriginConfig {
  readonly type: RelayType;
  /** The provider's own keys, as its schema has them. */
  readonly provider: Readonly<Record<string, unknown>>;
  /** For one request and its answer. */
  readonly timeoutMs: number;
  /** Requests at once; null for what suits the provider. */
  readonly maxConcurrency: number | null;
}

const commonKeys = {
  timeout: duration({ minMs: 1 }).default("5m").describe(
    "Time limit of one request with its response.",
  ),
  max_concurrency: count().optional()
    .describe("Concurrent requests. Default: what suits the provider."),
  ...apiOriginKeys,
};

/** The `[transports.NAME]` tables of each provider. */
export const relayTables = Object.entries(RELAY_SCHEMAS).map(([type, { shape }]) =>
  table({ ...shape, type: z.literal(type as RelayType), ...commonKeys })
);

/** A table of a provider with its defaults filled in. */
export type RelayTransportDoc = z.output<typeof relayTables[number]>;

export function relayTransportConfig(doc: RelayTransportDoc): RelayTransportConfig {
  const { type, timeout, max_concurrency: maxConcurrency = null, ...rest } = doc;
  const { source_address: _source, proxy: _proxy, ...provider } = rest;
  return { type, provider, timeoutMs: durationMs(timeout), maxConcurrency, ...originConfig(doc) };
}
