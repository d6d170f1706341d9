import type { Context, MiddlewareHandler } from "hono";
import type { z } from "zod";
import type { AdminEnv } from "../env.ts";
import { type InputPlace, withFacts } from "./operation.ts";
import { type FieldProblem, problem } from "./problem.ts";

type Checked<Place extends InputPlace, Schema extends z.ZodObject> = MiddlewareHandler<
  AdminEnv,
  string,
  { in: { [P in Place]: z.input<Schema> }; out: { [P in Place]: z.output<Schema> } }
>;

/** Checks the parameters of the path. */
export function param<Schema extends z.ZodObject>(schema: Schema): Checked<"param", Schema> {
  return checked("param", schema, (c) => c.req.param());
}

/** Checks the query; a key that stands there several times is a list. */
export function query<Schema extends z.ZodObject>(schema: Schema): Checked<"query", Schema> {
  return checked("query", schema, (c) => {
    const pairs = Object.entries(c.req.queries());
    return Object.fromEntries(
      pairs.map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
    );
  });
}

/** Checks a JSON body. */
export function json<Schema extends z.ZodObject>(schema: Schema): Checked<"json", Schema> {
  const check = checked("json", schema, (c) => c.req.json());
  const checkBody: Checked<"json", Schema> = async (c, next) => {
    if (!isJson(c.req.header("content-type"))) {
      return problem(c, "unsupported-media-type", {
        headers: { accept: "application/json" }, // RFC 9110 15.5.16
      });
    }
    try {
      await c.req.json();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return problem(c, "malformed-body");
    }
    return await check(c, next);
  };
  return withFacts(checkBody, { input: { place: "json", schema } });
}

function checked<Place extends InputPlace, Schema extends z.ZodObject>(
  place: Place,
  schema: Schema,
  read: (c: Context<AdminEnv>) => unknown,
): Checked<Place, Schema> {
  const check: Checked<Place, Schema> = async (c, next) => {
    const result = schema.safeParse(await read(c));
    if (!result.success) {
      return problem(c, "invalid-request", { errors: fieldProblems(place, result.error) });
    }
    c.req.addValidatedData(place, result.data);
    await next();
  };
  return withFacts(check, { input: { place, schema } });
}

const PLACE_NAMES = { param: "path", query: "query", json: "body" } as const;

function fieldProblems(place: InputPlace, { issues }: z.ZodError): FieldProblem[] {
  return issues.map(({ path, message }) => ({
    in: PLACE_NAMES[place],
    field: path.map(String).join("."),
    message,
  }));
}

function isJson(contentType: string | undefined): boolean {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  return /^application\/(?:[\w.-]+\+)?json$/.test(mediaType);
}
