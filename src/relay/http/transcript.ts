import type { Dialogue } from "../../delivery/transport.ts";
import type { Answer, Exchange, HttpRequest } from "./exchange.ts";

/** Fields of an answer that say something about mail, limits or where to ask about it. */
const SHOWN_FIELDS =
  /^(?:content-type|retry-after|(?:x-)?(?:request|message|trace|correlation)-?id|x-amzn-(?:requestid|errortype)|(?:x-)?ratelimit.*|x-sib-.*)$/;
const ANSWER_SHOWN_BYTES = 1024;
const MOST_LINES = 80;

const FAILURES: Readonly<Record<Extract<Exchange, { kind: "failed" }>["reason"], string>> = {
  unreachable: "Cannot connect to the address",
  forbidden: "No permission to reach the address",
  timeout: "No answer in time",
  cut: "The connection closed before the answer",
  aborted: "Cancelled",
};

/**
 * The requests and answers of one attempt, for people: where each request went and how large it
 * was, and what the answer said. Credentials, the query of an address and the octets of messages are
 * not in it.
 */
export class HttpTranscript implements Dialogue {
  readonly #lines: string[] = [];

  /** Takes note of a request and what it came to. */
  add({ url, body }: HttpRequest, result: Exchange): void {
    if (this.#lines.length >= MOST_LINES) return;
    const { origin, pathname, search } = new URL(url);
    const query = search === "" ? "" : "?(not recorded)";
    this.#lines.push(`C: POST ${origin}${pathname}${query}`);
    this.#lines.push(`-- ${body.lengthBytes} octets`);
    if (result.kind === "answered") this.#answered(result.answer);
    else {
      const maybe = result.maybeSent ? "; the request may have arrived" : "";
      this.#lines.push(`-- ${FAILURES[result.reason]}${maybe}`);
    }
  }

  lines(): readonly string[] {
    return this.#lines;
  }

  #answered({ status, headers, body, complete }: Answer): void {
    this.#lines.push(`S: HTTP ${status}`);
    for (const [name, value] of headers) {
      if (SHOWN_FIELDS.test(name)) this.#lines.push(`S: ${name}: ${value.slice(0, 300)}`);
    }
    const text = new TextDecoder().decode(body.subarray(0, ANSWER_SHOWN_BYTES)).trim();
    if (text !== "") this.#lines.push(...text.split(/\r\n|\r|\n/).map((line) => `S: ${line}`));
    if (body.length > ANSWER_SHOWN_BYTES) this.#lines.push(`-- ${body.length} octets in all`);
    if (!complete) this.#lines.push("-- The answer was cut");
  }
}
