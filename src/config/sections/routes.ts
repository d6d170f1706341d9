import type { z } from "zod";
import { decimal, flag, listOf, table, text } from "../fields.ts";
import { type RouteMatchConfig, routeMatchConfig, routeMatchSchema } from "./route_match.ts";
import { type TreatmentConfig, treatmentConfig, treatmentKeys } from "./treatment.ts";

export type { RouteMatchConfig } from "./route_match.ts";

/** One rule of the ordered list that finds the way out for a recipient. */
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
    .describe("Names the route in logs; route-1, route-2 … where not given."),
  match: routeMatchSchema,
  transports: listOf(text({ expected: "the name of a transport" })).default([]).describe(
    "Names of transports in the order in which they are tried; none are needed to hold or capture.",
  ),
  weights: listOf(decimal({ min: 0, max: 1_000_000 }), { atLeastOne: "number" }).optional()
    .describe("How often each transport comes first, in their order; without, always the first."),
  ...treatmentKeys,
  raw_only: flag().default(false).describe(
    "Whether a message that a transport would have to change takes the next one instead.",
  ),
});

/** The `[[routes]]` tables, the first that fits wins. */
export const routesSchema = listOf(route, { atLeastOne: "[[routes]] table" }).optional()
  .describe(
    "Which way out a recipient takes; the first that fits. " +
      "Where not given, everything goes to the only transport.",
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
