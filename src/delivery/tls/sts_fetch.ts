import type { Clock } from "../../base/clock.ts";
import { concatBytes, decodeText } from "../../base/bytes.ts";
import { NoConnection } from "../../base/http_request.ts";
import { TlsError } from "../../net/conn_error.ts";
import { parseStsPolicy, type StsPolicy } from "./sts_policy.ts";

/** The runtime's `fetch`, or what a test puts in its place. */
export type FetchPolicyFile = (url: string, init: RequestInit) => Promise<Response>;

/** Why there is no policy, in the words of RFC 8460 section 4.3.2.2. */
export type StsFailure =
  /** The file cannot be had. */
  | "sts-policy-fetch-error"
  /** The file is no policy. */
  | "sts-policy-invalid"
  /** The certificate of the host that has the file is not trusted. */
  | "sts-webpki-invalid";

/** What fetching a policy came to. */
export type StsFetchResult =
  | { readonly kind: "fetched"; readonly policy: StsPolicy }
  | { readonly kind: "failed"; readonly type: StsFailure };

/** RFC 8461 section 3.3. */
const TIMEOUT_MS = 60_000;
const LIMIT_BYTES = 64 * 1024;

/** Fetches the policy of a domain from the one place where it may be (RFC 8461 section 3.3). */
export async function fetchStsPolicy(
  domain: string,
  { fetch, clock }: { fetch: FetchPolicyFile; clock: Clock },
): Promise<StsFetchResult> {
  const halt = new AbortController();
  const cancel = clock.schedule(TIMEOUT_MS, () => halt.abort());
  try {
    const response = await fetch(`https://mta-sts.${domain}/.well-known/mta-sts.txt`, {
      redirect: "manual", // redirections must not be followed
      signal: halt.signal,
      headers: { "user-agent": "Posthouse", "accept-encoding": "identity" },
    });
    const body = await readLimited(response);
    if (response.status !== 200 || body === null) return FETCH_ERROR;
    const type = response.headers.get("content-type") ?? "";
    if (!/^text\/plain\s*(?:;|$)/i.test(type)) return INVALID;
    const policy = parseStsPolicy(decodeText(body));
    return policy === null ? INVALID : { kind: "fetched", policy };
  } catch (error) {
    return isUntrusted(error) ? UNTRUSTED : FETCH_ERROR; // no name, no connection, too late
  } finally {
    cancel();
  }
}

const FETCH_ERROR: StsFetchResult = { kind: "failed", type: "sts-policy-fetch-error" };
const INVALID: StsFetchResult = { kind: "failed", type: "sts-policy-invalid" };
const UNTRUSTED: StsFetchResult = { kind: "failed", type: "sts-webpki-invalid" };

/** Whether there was no connection because of a certificate that is not trusted. */
function isUntrusted(error: unknown): boolean {
  if (!(error instanceof NoConnection) || !(error.cause instanceof TlsError)) return false;
  return ["untrusted", "name_mismatch", "expired"].includes(error.cause.reason);
}

/** The body; null when it is larger than a policy can be. */
async function readLimited({ body }: Response): Promise<Uint8Array | null> {
  if (body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of body) { // leaving the loop cancels the rest
    lengthBytes += chunk.length;
    if (lengthBytes > LIMIT_BYTES) return null;
    chunks.push(chunk);
  }
  return concatBytes(chunks);
}
