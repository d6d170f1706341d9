import type { Context, TypedResponse } from "hono";
import type { z } from "zod";

/** A value and everything in it, for reading only. */
export type DeepReadonly<T> = T extends (infer Element)[] ? readonly DeepReadonly<Element>[]
  : T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
  : T;

/**
 * Answers with JSON of the form of `schema`, which is checked when types are; what a client sees
 * and what the OpenAPI document says are the same.
 */
export function answer<Schema extends z.ZodType, Status extends 200 | 201 = 200>(
  c: Context,
  _schema: Schema,
  value: DeepReadonly<z.output<Schema>>,
  status: Status = 200 as Status,
): Response & TypedResponse<z.output<Schema>, Status, "json"> {
  const response: Response = c.newResponse(JSON.stringify(value), status, {
    "content-type": "application/json",
  });
  return response as Response & TypedResponse<z.output<Schema>, Status, "json">;
}
