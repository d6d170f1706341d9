import type { Hono } from "hono";
import { z } from "zod";
import type { AdminEnv } from "../env.ts";
import { factsOf, type HandlerFacts, type Operation } from "./operation.ts";
import { problemSchema } from "./problem.ts";

type Json = Record<string, unknown>;

/** A route with everything its handlers tell of it. */
export interface DescribedRoute {
  /** Lower case. */
  readonly method: string;
  /** As Hono has it: `/messages/:id`. */
  readonly path: string;
  readonly operation: Operation;
  readonly inputs: readonly NonNullable<HandlerFacts["input"]>[];
}

/** The routes of an app that describe themselves, in their order. */
export function describedRoutes({ routes }: Pick<Hono<AdminEnv>, "routes">): DescribedRoute[] {
  const found = new Map<
    string,
    {
      method: string;
      path: string;
      operation?: Operation;
      inputs: NonNullable<HandlerFacts["input"]>[];
    }
  >();
  for (const { method, path, handler } of routes) {
    const { operation, input } = factsOf(handler);
    if (operation === undefined && input === undefined) continue;
    const key = `${method} ${path}`;
    const route = found.get(key) ?? { method: method.toLowerCase(), path, inputs: [] };
    if (operation !== undefined) route.operation = operation;
    if (input !== undefined) route.inputs.push(input);
    found.set(key, route);
  }
  return [...found.values()].flatMap(({ operation, ...route }) =>
    operation === undefined ? [] : [{ ...route, operation }]
  );
}

export interface OpenApiOptions {
  readonly version: string;
  /** Where the routes stand. */
  readonly basePath: string;
}

/** Describes routes as an OpenAPI 3.1 document. */
export function openApiDocument(
  routes: readonly DescribedRoute[],
  { version, basePath }: OpenApiOptions,
): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.slice(basePath.length).replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operationObject(route, schemas) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Posthouse admin API",
      version,
      description:
        "Monitor and operate a relay. Times are milliseconds since the Unix epoch. Errors are " +
        "problem documents (RFC 9457).",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: basePath }],
    security: [{ key: [] }, { session: [] }, {}],
    tags: [...new Set(routes.map(({ operation }) => operation.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.components,
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "The secret of an API key." },
        session: { type: "apiKey", in: "cookie", name: "posthouse_session" },
      },
    },
  };
}

function operationObject({ operation, inputs }: DescribedRoute, schemas: Schemas): Json {
  const { id, tag, summary, description, role, status = 200, answer } = operation;
  const body = inputs.find(({ place }) => place === "json")?.schema;
  const parameters = inputs.flatMap(({ place, schema }) =>
    place === "json" ? [] : parametersOf(place, schema, schemas)
  );
  const needs = role === null
    ? ""
    : role === "send"
    ? "Needs a key that may send, or the role `operator`."
    : `Needs the role \`${role}\`.`;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, needs].filter((text) => text !== undefined).join(" "),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : {
      requestBody: {
        required: true,
        content: { "application/json": { schema: schemas.of(body, "input") } },
      },
    }),
    responses: {
      [status]: { description: "Done.", ...contentOf(answer, schemas) },
      default: {
        description: "A problem.",
        content: { "application/problem+json": { schema: schemas.of(problemSchema, "output") } },
      },
    },
  };
}

function contentOf(answer: Operation["answer"], schemas: Schemas): Json {
  if (answer === undefined) return {};
  if (answer instanceof z.ZodType) {
    return { content: { "application/json": { schema: schemas.of(answer, "output") } } };
  }
  return { content: Object.fromEntries(answer.map((mediaType) => [mediaType, {}])) };
}

function parametersOf(
  place: "param" | "query",
  { shape }: z.ZodObject,
  schemas: Schemas,
): Json[] {
  return Object.entries(shape).map(([name, part]) => {
    // What a parameter is read as says more than the text it is sent as.
    const { description, ...schema } = schemas.of(part as z.ZodType, "output");
    return {
      name,
      in: place === "param" ? "path" : "query",
      required: place === "param" || !(part as z.ZodType).safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
}

/** JSON Schemas, in which those with a name stand once and are referred to. */
class Schemas {
  readonly components: Json = {};

  of(schema: z.ZodType, io: "input" | "output"): Json {
    // Within an object a schema with a name becomes a reference like any other.
    const converted: Json = z.toJSONSchema(z.object({ it: schema }), {
      io,
      unrepresentable: "any",
    });
    const { $defs, properties } = moved(converted) as { $defs?: Json; properties: { it: Json } };
    for (const [name, definition] of Object.entries($defs ?? {})) {
      const { id: _id, ...named } = definition as Json;
      this.components[name] ??= named;
    }
    return properties.it;
  }
}

/** The same with references to where components stand. */
function moved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moved);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [
      key,
      key === "$ref" && typeof part === "string"
        ? part.replace("#/$defs/", "#/components/schemas/")
        : moved(part),
    ]),
  );
}
