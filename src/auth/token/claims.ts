import type { CommonOauthSettings } from "../settings.ts";
import type { TokenResult } from "./token_checker.ts";

/** What a token, or the answer about one, says (RFC 7519 section 4, RFC 7662 section 2.2). */
export type Claims = Readonly<Record<string, unknown>>;

/** What claims are judged by. */
export interface ClaimRules
  extends Pick<CommonOauthSettings, "userClaim" | "scope" | "issuer" | "audience"> {
  readonly clockSkewMs: number;
  /** Whether the token must have an end. */
  readonly needsExpiry: boolean;
}

/** Decides whether a token with these claims is good now, and whose it is. */
export function judgeClaims(
  claims: Claims,
  { rules, nowMs }: { rules: ClaimRules; nowMs: number },
): TokenResult {
  const cause = timeProblem(claims, { rules, nowMs }) ?? partyProblem(claims, rules);
  if (cause !== null) return { kind: "invalid", cause };
  const user = claims[rules.userClaim];
  return typeof user === "string" && user !== ""
    ? { kind: "valid", user }
    : { kind: "invalid", cause: `the token has no claim ${rules.userClaim}` };
}

/** When the token ends, in milliseconds since the epoch; null where it does not say. */
export function expiryOf({ exp }: Claims): number | null {
  return typeof exp === "number" ? exp * 1000 : null;
}

/** RFC 7519 sections 4.1.4 and 4.1.5 */
function timeProblem(
  claims: Claims,
  { rules: { clockSkewMs, needsExpiry }, nowMs }: { rules: ClaimRules; nowMs: number },
): string | null {
  const { exp, nbf } = claims;
  const expiresAtMs = expiryOf(claims);
  if (expiresAtMs === null && (needsExpiry || exp !== undefined)) {
    return "the token has no time of expiry";
  }
  if (expiresAtMs !== null && nowMs >= expiresAtMs + clockSkewMs) return "the token is expired";
  if (nbf !== undefined && typeof nbf !== "number") return "the token has a bad nbf claim";
  const isEarly = nbf !== undefined && nowMs < nbf * 1000 - clockSkewMs;
  return isEarly ? "the token is not valid yet" : null;
}

/** RFC 7519 sections 4.1.1 and 4.1.3, RFC 8693 section 4.2 */
function partyProblem(claims: Claims, { issuer, audience, scope }: ClaimRules): string | null {
  if (issuer !== null && claims["iss"] !== issuer) return "the token has another issuer";
  if (audience.length > 0 && !wordsOf(claims["aud"]).some((word) => audience.includes(word))) {
    return "the token is for another audience";
  }
  const scopes = [claims["scope"], claims["scp"]].flatMap(wordsOf).flatMap((text) =>
    text.split(" ")
  );
  return scope === null || scopes.includes(scope) ? null : `the token lacks the scope ${scope}`;
}

/** A claim that is one text or a list of texts. */
function wordsOf(claim: unknown): string[] {
  const all: unknown[] = Array.isArray(claim) ? claim : [claim];
  return all.filter((word) => typeof word === "string");
}
