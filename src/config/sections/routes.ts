import type { z } from "zod";
import { decimal, flag, listOf, table, text } from "../fields.ts";
import { type RouteMatchConfig, routeMatchConfig, routeMatchSchema } from "./route_match.ts";
import { type TreatmentConfig, treatmentConfig, treatmentKeys } from "./treatment.ts";

export type { RouteMatchConfig } from "./route_match.ts";

/** One rule of the ordered list that finds the transport for a recipient. */
export interface RouteConfig {
  readonly name: string;
  /** Keys that are present must all fit; an empty match fits everything. */
  readonly match: RouteMatchConfig;
  /** Names of transports in the order in which they are tried; at least one, unless mail rests. */
  readonly transports: readonly string[];
  /** Whether a message rather takes the next transport than lose something to a conversion. */
  readonly rawOnly: boolean;
  /** How often each transport comes first, in their order. */
  readonly weights?: readonly number[];
  /** What becomes of its mail; absent means that it is delivered. */
  readonly treatment?: TreatmentConfig;
}

const route = table({
  name: text({ expected: "a name", isValid: (value) => value !== "" }).optional()
    .describe("Name of the route in logs. Default: route-1, route-2 …"),
  match: routeMatchSchema,
  transports: listOf(text({ expected: "the name of a transport" })).default([]).describe(
    "Transports in order of preference. Not required for hold and capture.",
  ),
  weights: listOf(decimal({ min: 0, max: 1_000_000 }), { atLeastOne: "number" }).optional()
    .describe(
      "How often each transport is tried first, in their order. Default: always the first.",
    ),
  ...treatmentKeys,
  raw_only: flag().default(false).describe(
    "Skip transports that would have to change the message.",
  ),
});

/** The `[[routes]]` tables, the first that fits wins. */
export const routesSchema = listOf(route, { atLeastOne: "[[routes]] table" }).optional()
  .describe(
    "Transport choice for each recipient; the first matching route wins. Default: the only " +
      "transport.",
  );

export function routeConfig(doc: z.output<typeof route>, index: number): RouteConfig {
  const treatment = treatmentConfig(doc);
  return {
    name: doc.name ?? `route-${index + 1}`,
    match: routeMatchConfig(doc.match),
    transports: doc.transports,
    rawOnly: doc.raw_only,
    ...(doc.weights === undefined ? {} : { weights: doc.weights }),
    ...(treatment === null ? {} : { treatment }),
  };
}
