import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { encodeText } from "../../base/bytes.ts";
import { encodeBase64 } from "../base64.ts";
import { BoundedMap } from "../../base/bounded_map.ts";
import type { IntrospectionSettings } from "../settings.ts";
import { TaskGate } from "../task_gate.ts";
import { type Claims, expiryOf, judgeClaims } from "./claims.ts";
import { type Fetch, type JsonAnswer, requestJson } from "./json_request.ts";
import type { TokenChecker, TokenResult } from "./token_checker.ts";

const TOKENS_LIMIT = 10_000;
const REQUESTS = { running: 16, waiting: 256, waitingPerKey: 256 };

/** Checks tokens by asking the authorization server about each (RFC 7662). */
export class IntrospectionChecker implements TokenChecker {
  readonly #settings: IntrospectionSettings;
  readonly #clock: Clock;
  readonly #fetch: Fetch;
  readonly #gate = new TaskGate(REQUESTS);
  /** What was said about good tokens, by their digest. */
  readonly #answers = new BoundedMap<string, { claims: Claims; untilMs: number }>(TOKENS_LIMIT);

  constructor(settings: IntrospectionSettings, { clock, fetch }: { clock: Clock; fetch: Fetch }) {
    this.#settings = settings;
    this.#clock = clock;
    this.#fetch = fetch;
  }

  async check(token: string, signal: AbortSignal): Promise<TokenResult> {
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.#answers.get(digest);
    if (known !== undefined && this.#clock.monotonic() < known.untilMs) {
      return this.#judge(known.claims);
    }
    const asking = this.#gate.run("", () => this.#ask(token, signal));
    if (asking === null) return unavailable("too many tokens wait to be checked");
    const answer = await asking;
    if (answer.kind === "failed") return unavailable(`cannot check the token: ${answer.cause}`);
    const { value: claims } = answer;
    // RFC 7662 section 2.2: `active` is the only member that is always there.
    if (claims["active"] !== true) return { kind: "invalid", cause: "the token is not active" };
    const result = this.#judge(claims);
    if (result.kind === "valid") this.#remember(digest, claims);
    return result;
  }

  #judge(claims: Claims): TokenResult {
    const rules = { ...this.#settings, clockSkewMs: 0, needsExpiry: false };
    return judgeClaims(claims, { rules, nowMs: this.#clock.now() });
  }

  #remember(digest: string, claims: Claims): void {
    const { cacheMs } = this.#settings;
    const lifeMs = (expiryOf(claims) ?? Infinity) - this.#clock.now();
    const untilMs = this.#clock.monotonic() + Math.min(cacheMs, lifeMs);
    this.#answers.set(digest, { claims, untilMs });
  }

  #ask(token: string, signal: AbortSignal): Promise<JsonAnswer> {
    const { url, clientId, clientSecret, timeoutMs } = this.#settings;
    // RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
    const credentials = [clientId, clientSecret].map(formEncoded).join(":");
    const init = {
      method: "POST",
      headers: {
        accept: "application/json",
        authorization: `Basic ${encodeBase64(encodeText(credentials))}`,
      },
      body: new URLSearchParams({ token, token_type_hint: "access_token" }),
    };
    return requestJson({ url, init, fetch: this.#fetch, clock: this.#clock, timeoutMs, signal });
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ text }).toString().slice("text=".length);
}

function unavailable(cause: string): TokenResult {
  return { kind: "unavailable", cause };
}
