import type { ClientResponse } from "hono/client";
import { printable } from "../text.ts";

/** The running relay could not be reached, or refused. The message is one line for people. */
export class RelayError extends Error {
  override readonly name = "RelayError";
  readonly kind: "unreachable" | "refused";

  constructor(kind: RelayError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What an operation of the API answers when it succeeds. */
type Answered<R> = R extends ClientResponse<infer Body, infer Status, infer _Format>
  ? Status extends 200 | 201 ? Body : never
  : never;

/**
 * The answer to a call of the typed client.
 *
 * @throws RelayError when the relay cannot be reached or answers with a problem (RFC 9457).
 */
export async function ask<R extends ClientResponse<unknown, number, string>>(
  call: Promise<R>,
): Promise<Answered<R>> {
  const response = await answerOf(call);
  return await response.json() as Answered<R>;
}

/** The response to a call, when it is not a problem. Throws as `ask`. */
export async function answerOf<R extends Pick<Response, "ok" | "status" | "text">>(
  call: Promise<R>,
): Promise<R> {
  let response: R;
  try {
    response = await call;
  } catch (cause) {
    // `fetch` fails with a TypeError when there is nobody at the other end.
    if (!(cause instanceof TypeError)) throw cause;
    throw new RelayError("unreachable", reasonOf(cause), { cause });
  }
  if (!response.ok) {
    throw new RelayError("refused", problemText(response.status, await response.text()));
  }
  return response;
}

function reasonOf(error: TypeError): string {
  const { cause } = error;
  const text = cause instanceof Error ? cause.message : error.message;
  // The runtime wraps what the system says in the names of its own layers.
  return printable(text.split(": ").at(-1) ?? text);
}

/** What a problem document says, in one line. */
function problemText(status: number, text: string): string {
  const { title, detail, errors } = documentOf(text);
  const fields = Array.isArray(errors)
    ? errors.map((each) => `${each.field ?? ""} ${each.message ?? ""}`.trim())
    : [];
  const parts = [title ?? `HTTP status ${status}`, detail, ...fields];
  const words = parts.filter((part) => typeof part === "string" && part !== "");
  const hint = status === 401 ? "; set a key with --token or POSTHOUSE_TOKEN" : "";
  return `${printable(words.join(": "))}${hint}`;
}

function documentOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {}; // not from a relay, such as the page of a proxy
  }
}
