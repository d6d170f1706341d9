import { Hono } from "hono";
import { z } from "zod";
import { actorOf, type AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { json, param } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { rightsOf, SCOPES } from "../guard/scopes.ts";
import { problem } from "../http/problem.ts";
import { KEY_ROLES, ROLES, SENDER_CHECKS } from "../ports.ts";
import type { ApiContext } from "./context.ts";
import { doneSchema, lineText, timeMs } from "./schemas/fields.ts";

const role = z.enum(ROLES)
  .describe(
    "A viewer only reads, an operator acts on mail and destinations, an admin does " +
      "everything.",
  );

const senders = z.array(lineText({ max: 320 })).max(1000).nullable()
  .describe("Mailboxes it may send as; * matches any text. null for all.");

const senderCheck = z.enum(SENDER_CHECKS).describe(
  "Where senders applies: reverse-path (envelope), From, Sender and Resent-* (header), or both.",
);

const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(KEY_ROLES).describe("Role as for users; a sender only submits mail."),
  send: z.boolean().describe("Whether it may submit mail."),
  senders,
  senderCheck,
  createdAtMs: timeMs(),
  createdBy: z.string(),
  expiresAtMs: timeMs().nullable(),
  lastUsedAtMs: timeMs().nullable(),
  source: z.enum(["file", "config"]),
}).meta({ id: "ApiKey" });
const keysSchema = z.object({ items: z.array(keySchema) }).meta({ id: "ApiKeys" });

const newKeySchema = z.strictObject({
  name: lineText({ max: 100 }).min(1),
  role: z.enum(KEY_ROLES).optional(),
  scopes: z.array(z.enum(SCOPES)).min(1).optional()
    .describe("Scopes instead of a role: submit mail, read, act on mail."),
  senders: senders.default(null),
  senderCheck: senderCheck.default("both"),
  expiresAtMs: timeMs().nullable().default(null),
}).refine(({ role, scopes }) => (role === undefined) !== (scopes === undefined), {
  error: "expected either role or scopes",
}).meta({ id: "NewApiKey" });

const createdKeySchema = z.object({
  key: keySchema,
  secret: z.string().describe("Shown only once; goes into `Authorization: Bearer`."),
}).meta({ id: "CreatedApiKey" });

const userSchema = z.object({ name: z.string(), role, createdAtMs: timeMs() })
  .meta({ id: "User" });
const usersSchema = z.object({ items: z.array(userSchema) }).meta({ id: "Users" });

const putUserSchema = z.strictObject({
  role,
  password: z.string().min(10, { error: "expected at least 10 characters" }).max(1024).optional()
    .describe("If absent, the password stays unchanged."),
}).meta({ id: "PutUser" });

const userPath = z.strictObject({ name: lineText({ max: 100 }).min(1) });

const tag = "Access";

/** Keys for programs. */
export function keyRoutes({ ports: { keys }, sessions }: ApiContext) {
  return new Hono<AdminEnv>()
    .get(
      "/keys",
      operation({
        ...{ tag, id: "listKeys", role: "admin", answer: keysSchema },
        summary: "List API keys, without their secrets",
      }),
      async (c) => answer(c, keysSchema, { items: await keys.list() }),
    )
    .post(
      "/keys",
      operation({
        ...{ tag, id: "createKey", role: "admin", status: 201, answer: createdKeySchema },
        summary: "Create an API key",
      }),
      json(newKeySchema),
      async (c) => {
        const by = actorOf(c.get("caller"));
        const request = c.req.valid("json");
        const { role, scopes = [], ...rest } = request;
        const rights = role === undefined ? rightsOf(scopes) : { role };
        const created = await keys.create({ ...rest, ...rights, by });
        return answer(c, createdKeySchema, created, 201);
      },
    )
    .delete(
      "/keys/:id",
      operation({
        ...{ tag, id: "revokeKey", role: "admin", answer: doneSchema },
        summary: "Revoke an API key",
      }),
      param(z.strictObject({ id: lineText({ max: 200 }) })),
      async (c) => {
        const { id } = c.req.valid("param");
        const known = (await keys.list()).find((key) => key.id === id);
        if (known?.source === "config") {
          return problem(c, "conflict", { detail: "It is defined in the config file." });
        }
        if (!(await keys.revoke(id))) return problem(c, "not-found");
        sessions.endAllOf({ kind: "key", name: id });
        return answer(c, doneSchema, { done: true });
      },
    );
}

/** People who sign in. */
export function userRoutes({ ports: { users }, sessions }: ApiContext) {
  return new Hono<AdminEnv>()
    .get(
      "/users",
      operation({
        ...{ tag, id: "listUsers", role: "admin", answer: usersSchema },
        summary: "List users",
      }),
      async (c) => answer(c, usersSchema, { items: await users.list() }),
    )
    .put(
      "/users/:name",
      operation({
        ...{ tag, id: "putUser", role: "admin", answer: doneSchema },
        summary: "Add a user, or change role or password",
        description: "A new password ends the user's sessions.",
      }),
      param(userPath),
      json(putUserSchema),
      async (c) => {
        const { name } = c.req.valid("param");
        const { role, password } = c.req.valid("json");
        const result = await users.put({
          ...{ name, role },
          ...(password === undefined ? {} : { password }),
        });
        if (result === "password_needed") {
          const message = "is needed for a new user";
          return problem(c, "invalid-request", {
            errors: [{ in: "body", field: "password", message }],
          });
        }
        if (password !== undefined) sessions.endAllOf({ kind: "user", name });
        return answer(c, doneSchema, { done: true });
      },
    )
    .delete(
      "/users/:name",
      operation({
        ...{ tag, id: "removeUser", role: "admin", answer: doneSchema },
        summary: "Remove a user and end their sessions",
      }),
      param(userPath),
      async (c) => {
        const { name } = c.req.valid("param");
        if (!(await users.remove(name))) return problem(c, "not-found");
        sessions.endAllOf({ kind: "user", name });
        return answer(c, doneSchema, { done: true });
      },
    );
}
