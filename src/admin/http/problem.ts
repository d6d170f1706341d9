import type { Context, TypedResponse } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";

/** What is wrong with one field of a request. */
export const fieldProblemSchema = z.object({
  in: z.enum(["path", "query", "body"]),
  /** As `filter.domain`; empty for the whole. */
  field: z.string(),
  message: z.string(),
}).meta({ id: "FieldProblem" });
export type FieldProblem = z.output<typeof fieldProblemSchema>;

/** Why a request failed (RFC 9457). `type` is stable and names the kind of problem. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  /** For requests that are wrong: everything that is. */
  errors: z.array(fieldProblemSchema).optional(),
  /** For messages that are refused because of recipients: all of those. */
  recipients: z.array(z.object({ address: z.string(), reply: z.string() })).optional(),
}).meta({ id: "Problem" });

/** The kinds of problem with their titles. The type is `/problems/` and the key. */
const KINDS = {
  "invalid-request": { status: 400, title: "The request is invalid" },
  "malformed-body": { status: 400, title: "The body is not valid JSON" },
  "unauthorized": { status: 401, title: "Credentials are required" },
  "forbidden": { status: 403, title: "The role is not sufficient" },
  "cross-site": { status: 403, title: "The request came from another site" },
  "not-found": { status: 404, title: "Not found" },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "conflict": { status: 409, title: "The current state does not allow this" },
  "gone": { status: 410, title: "The content of the message was removed" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "too-many-recipients": { status: 413, title: "The message has too many recipients" },
  "unsupported-media-type": { status: 415, title: "The body must be JSON" },
  "misdirected": { status: 421, title: "Unknown host name" },
  "key-taken": { status: 422, title: "This Idempotency-Key belongs to another request" },
  "refused": { status: 422, title: "The relay refused the message" },
  "too-many-requests": { status: 429, title: "Too many failed attempts" },
  "internal": { status: 500, title: "Internal error" },
  "unavailable": { status: 503, title: "The queue does not respond" },
  "try-later": { status: 503, title: "The relay is temporarily unavailable" },
  "full": { status: 507, title: "The disk is full" },
} as const satisfies Record<string, { status: ContentfulStatusCode; title: string }>;

export type ProblemKind = keyof typeof KINDS;
type StatusOf<Kind extends ProblemKind> = typeof KINDS[Kind]["status"];

/** A problem document. */
export interface Problem<Kind extends ProblemKind = ProblemKind> {
  readonly type: `/problems/${Kind}`;
  readonly title: string;
  readonly status: StatusOf<Kind>;
  readonly detail?: string;
  readonly errors?: readonly FieldProblem[];
  readonly recipients?: readonly RecipientProblem[];
}

/** A recipient that was refused, and what an SMTP client would have been told. */
export interface RecipientProblem {
  readonly address: string;
  readonly reply: string;
}

/** What a problem may say beside its kind, and header fields to send with it. */
export interface ProblemDetails {
  /** One sentence for people; what clients sent is quoted in it only when harmless. */
  readonly detail?: string;
  readonly errors?: readonly FieldProblem[];
  readonly recipients?: readonly RecipientProblem[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with a problem document. */
export function problem<Kind extends ProblemKind>(
  c: Context,
  kind: Kind,
  { detail, errors, recipients, headers = {} }: ProblemDetails = {},
): Response & TypedResponse<Problem<Kind>, StatusOf<Kind>, "json"> {
  const { status, title } = KINDS[kind];
  const body: Problem<Kind> = {
    type: `/problems/${kind}`,
    title,
    status: status as StatusOf<Kind>,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
    ...(recipients === undefined ? {} : { recipients }),
  };
  const response: Response = c.newResponse(JSON.stringify(body), status, {
    ...headers,
    "content-type": "application/problem+json",
  });
  return response as Response & TypedResponse<Problem<Kind>, StatusOf<Kind>, "json">;
}
