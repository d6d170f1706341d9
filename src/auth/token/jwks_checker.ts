import type { Clock } from "../../base/clock.ts";
import type { JwksSettings } from "../settings.ts";
import { judgeClaims } from "./claims.ts";
import { type Fetch, requestJson } from "./json_request.ts";
import { isSigned, parseJwt } from "./jwt.ts";
import { KeySource } from "./key_source.ts";
import type { TokenChecker, TokenResult } from "./token_checker.ts";

/** Checks tokens that are JWTs by the published keys of their issuer. */
export class JwksChecker implements TokenChecker {
  readonly #settings: JwksSettings;
  readonly #clock: Clock;
  readonly #keys: KeySource;

  /** `signal` ends a request for keys, which all who wait for it share. */
  constructor(
    settings: JwksSettings,
    { clock, fetch, signal }: { clock: Clock; fetch: Fetch; signal: AbortSignal },
  ) {
    const { url, timeoutMs, cacheMs } = settings;
    const init = { headers: { accept: "application/jwk-set+json, application/json" } };
    this.#settings = settings;
    this.#clock = clock;
    this.#keys = new KeySource({
      clock,
      cacheMs,
      request: () => requestJson({ url, init, fetch, clock, timeoutMs, signal }),
    });
  }

  async check(token: string): Promise<TokenResult> {
    const parsed = parseJwt(token);
    if (parsed.kind === "error") return { kind: "invalid", cause: parsed.reason };
    const { jwt } = parsed;
    // The claims first, as they cost nothing; what they say is believed only with the signature.
    const rules = { ...this.#settings, needsExpiry: true };
    const judged = judgeClaims(jwt.claims, { rules, nowMs: this.#clock.now() });
    if (judged.kind !== "valid") return judged;
    const found = await this.#keys.keysFor(jwt);
    if (found.kind === "unavailable") return found;
    for (const key of found.keys) if (await isSigned(jwt, key)) return judged;
    return { kind: "invalid", cause: "the token is signed by an unknown key" };
  }
}
