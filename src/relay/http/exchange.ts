import type { Clock } from "../../base/clock.ts";
import { concatBytes } from "../../base/bytes.ts";
import { type HttpFetch, type HttpResponse, NoConnection } from "../../base/http_request.ts";
import type { RequestBody } from "./body.ts";

/** A request with the method POST. */
export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RequestBody;
}

/** An answer of an HTTP server. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** False when the body was cut, took too long, or is longer than anybody needs. */
  readonly complete: boolean;
}

/** Why there was no answer. */
export type FailureReason =
  /**
   * There was no connection to begin the body on: no such name, connection refused, no TLS, no way
   * by the proxy, no answer in time, or lost at once.
   */
  | "unreachable"
  /** This process may not reach the address. */
  | "forbidden"
  | "timeout"
  /** The connection ended before the answer. */
  | "cut"
  /** The caller gave up. */
  | "aborted";

/** What one request came to. */
export type Exchange =
  | { readonly kind: "answered"; readonly answer: Answer }
  | {
    readonly kind: "failed";
    readonly reason: FailureReason;
    /** Whether all of the request may have reached the server. */
    readonly maybeSent: boolean;
    /** For the log. */
    readonly cause: unknown;
  };

/** No answer that says something about mail is longer. */
const ANSWER_LIMIT_BYTES = 1024 * 1024;

/** How long an abort waits for the answer to a request that was sent in full. */
const ABORT_GRACE_MS = 5_000;

/**
 * Makes one request. Redirections are not followed, so that credentials go nowhere else.
 *
 * @param timeoutMs the time for everything, the answer's body included.
 * @throws what the body's stream throws.
 */
export async function exchange(
  { fetch, clock }: { fetch: HttpFetch; clock: Clock },
  request: HttpRequest,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<Exchange> {
  if (signal.aborted) {
    return { kind: "failed", reason: "aborted", maybeSent: false, cause: signal.reason };
  }
  const body = new SizedBody(request.body);
  using halt = new Halt({ clock, signal, timeoutMs, isSent: () => body.sent });
  try {
    const response = await fetch(request.url, {
      method: "POST",
      headers: { "accept-encoding": "identity", "user-agent": "Posthouse", ...request.headers },
      body,
      redirect: "manual",
      signal: halt.signal,
    });
    return { kind: "answered", answer: await readAnswer(response) };
  } catch (error) {
    if (body.failure !== null) throw body.failure.error;
    return failureOf(error, { reason: halt.reason, body });
  }
}

/** What the answer's body says in JSON; undefined when it is cut or no JSON. */
export function jsonOf({ body, complete }: Answer): unknown {
  if (!complete) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

/** Reads no more than the limit; an answer that is cut keeps what came of it. */
async function readAnswer(response: HttpResponse): Promise<Answer> {
  const { status, headers } = response;
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  let complete = true;
  try {
    for await (const chunk of response.body ?? []) {
      lengthBytes += chunk.length;
      chunks.push(chunk);
      if (lengthBytes > ANSWER_LIMIT_BYTES) break; // leaving the loop cancels the body
    }
    complete = lengthBytes <= ANSWER_LIMIT_BYTES;
  } catch {
    complete = false;
  }
  return { status, headers, body: concatBytes(chunks), complete };
}

function failureOf(
  error: unknown,
  { reason, body: { begun, sent } }: {
    reason: "timeout" | "aborted" | null;
    body: Pick<SizedBody, "begun" | "sent">;
  },
): Exchange {
  const failed = { kind: "failed", maybeSent: sent, cause: error } as const;
  if (reason === "aborted") return { ...failed, reason };
  if (error instanceof NoConnection) {
    return { ...failed, reason: error.reason === "not_permitted" ? "forbidden" : "unreachable" };
  }
  if (begun) return { ...failed, reason: reason ?? "cut" };
  const text = reason === null ? "the connection ended at once" : "no connection in time";
  return { ...failed, reason: "unreachable", cause: new Error(text, { cause: error }) };
}

/** Ends a request: for time, or for the caller once it is clear what became of it. */
class Halt implements Disposable {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #caller: AbortSignal;
  readonly #isSent: () => boolean;
  readonly #cancels: (() => void)[] = [];
  reason: "timeout" | "aborted" | null = null;

  constructor(
    { clock, signal, timeoutMs, isSent }: {
      clock: Clock;
      signal: AbortSignal;
      timeoutMs: number;
      isSent: () => boolean;
    },
  ) {
    this.#clock = clock;
    this.#caller = signal;
    this.#isSent = isSent;
    this.#cancels.push(clock.schedule(timeoutMs, () => this.#stop("timeout")));
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #onAbort = (): void => {
    if (!this.#isSent()) this.#stop("aborted");
    else this.#cancels.push(this.#clock.schedule(ABORT_GRACE_MS, () => this.#stop("aborted")));
  };

  #stop(reason: "timeout" | "aborted"): void {
    this.reason ??= reason;
    this.#controller.abort();
  }

  [Symbol.dispose](): void {
    for (const cancel of this.#cancels) cancel();
    this.#caller.removeEventListener("abort", this.#onAbort);
  }
}

/**
 * A body that is streamed and yet has a length, so that it leaves with Content-Length, which some
 * APIs insist on. It is read once there is a connection, so that what was not read was not sent.
 */
class SizedBody extends Blob {
  readonly #body: RequestBody;
  /** Whether there was a connection to send it on. */
  begun = false;
  /** Whether the connection has taken all of it. */
  sent = false;
  /** What went wrong with the source, if anything did. */
  failure: { readonly error: unknown } | null = null;

  constructor(body: RequestBody) {
    super();
    this.#body = body;
  }

  override get size(): number {
    return this.#body.lengthBytes;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const source = this.#body.stream()[Symbol.asyncIterator]();
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        this.begun = true;
        try {
          const { done, value } = await source.next();
          if (done !== true) return controller.enqueue(value as Uint8Array<ArrayBuffer>);
          this.sent = true;
          controller.close();
        } catch (error) {
          this.failure = { error };
          controller.error(error);
        }
      },
      cancel: async () => {
        await source.return?.();
      },
    }, { highWaterMark: 0 });
  }
}
