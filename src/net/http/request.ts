import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";

/** Bodies up to this size are read before they are handed on, which costs less than a stream. */
const SMALL_BODY_BYTES = 65536;

/** A request that cannot be handed on, with the status that says why (RFC 9110 section 15.5). */
export class HttpRefusal extends Error {
  override readonly name = "HttpRefusal";
  readonly status: 400 | 501;

  constructor(status: 400 | 501, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The request in the form of the Fetch standard.
 *
 * @throws HttpRefusal
 */
export async function toRequest(
  message: IncomingMessage,
  { scheme, signal }: { scheme: "http" | "https"; signal: AbortSignal },
): Promise<Request> {
  const method = message.method ?? "";
  // The Fetch standard has no such requests.
  if (/^(?:CONNECT|TRACE|TRACK)$/i.test(method)) throw new HttpRefusal(501, "Method not offered");
  const url = urlOf(message, scheme);
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? await bodyOf(message) : null;
  if (!hasBody) message.resume();
  return new Request(url, { method, headers: headersOf(message), body, signal });
}

function urlOf({ url = "", rawHeaders, headers }: IncomingMessage, scheme: string): string {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === "host") hosts++;
  }
  // RFC 9112 section 3.2: exactly one; HTTP/1.0 may leave it out.
  if (hosts > 1) throw new HttpRefusal(400, "More than one host");
  const origin = `${scheme}://${headers.host ?? "localhost"}`;
  const target = url.startsWith("/") ? `${origin}${url}` : url === "*" ? origin : url;
  const parsed = URL.parse(target);
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || !URL.canParse(origin)) {
    throw new HttpRefusal(400, "Bad request target");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new HttpRefusal(400, "Bad request target");
  }
  return target;
}

function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  const headers: [string, string][] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.push([rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""]);
  }
  return headers;
}

async function bodyOf(message: IncomingMessage): Promise<BodyInit> {
  const announced = Number(message.headers["content-length"] ?? NaN);
  if (!(announced <= SMALL_BODY_BYTES)) return streamOf(message);
  const chunks: Uint8Array[] = [];
  await new Promise<void>((resolve, reject) => {
    message.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    message.on("end", resolve);
    message.on("error", reject);
    message.on("close", () => {
      if (!message.complete) reject(new HttpRefusal(400, "The body ended early"));
    });
  });
  return new Uint8Array(Buffer.concat(chunks));
}

/** Reads from the client no faster than somebody reads from it. */
function streamOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  let isOver = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (finish: () => void): void => {
        if (isOver) return;
        isOver = true;
        finish();
      };
      message.on("data", (chunk: Uint8Array) => {
        if (isOver) return;
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) message.pause();
      });
      message.on("end", () => end(() => controller.close()));
      message.on("error", (error) => end(() => controller.error(error)));
      message.on("close", () => {
        if (!isOver) end(() => controller.error(new Error("The body ended early")));
      });
      message.pause();
    },
    pull() {
      message.resume();
    },
    cancel() {
      isOver = true;
      message.resume(); // what comes is thrown away, within the time for a body
    },
  });
}
