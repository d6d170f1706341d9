import { timingSafeEqual } from "node:crypto";
import { decodeBase64, encodeBase64 } from "../base64.ts";
import { encodeText } from "../../base/bytes.ts";
import { isSameUsername } from "../prepare.ts";
import { hmacSha256, sha256 } from "../scram_keys.ts";
import { readGs2Header, unescapeName } from "./gs2.ts";
import type {
  SaslServerMechanism,
  SaslStep,
  ScramCandidate,
  ScramCredentials,
} from "./mechanism.ts";
import { clientFirst, concluded, failed, malformed, strictText } from "./messages.ts";

const PROOF_BYTES = 32;

/** What the first two messages leave for the last ones. */
interface Opening {
  readonly gs2Header: string;
  readonly clientFirstBare: string;
  readonly serverFirst: string;
  /** The client's nonce and the server's behind it. */
  readonly nonce: string;
  readonly credentials: ScramCredentials;
}

/**
 * SCRAM-SHA-256, RFC 5802 and RFC 7677. `newNonce` makes the server's part of the nonce: printable
 * ASCII without commas, at least 18 octets of randomness in it.
 */
export function scramSha256({ newNonce }: { newNonce: () => string }): SaslServerMechanism {
  return {
    name: "SCRAM-SHA-256",
    start: (initialResponse) =>
      clientFirst(initialResponse, (message) => takeClientFirst(message, newNonce)),
  };
}

/** client-first-message = gs2-header [reserved-mext ","] username "," nonce ["," extensions] */
function takeClientFirst(message: Uint8Array, newNonce: () => string): SaslStep {
  const text = strictText(message);
  const header = text === null ? null : readGs2Header(text);
  if (text === null || header === null || header.kind === "malformed") {
    return malformed("the SCRAM client-first message has no GS2 header");
  }
  if (header.kind === "channel_binding") {
    return failed("credentials", "the client requires channel binding, which is not offered");
  }
  const clientFirstBare = text.slice(header.end);
  const parts = /^n=([^,]+),r=([!-+\--~]+)(?:,.*)?$/s.exec(clientFirstBare); // printable, no comma
  // RFC 5802 section 5.1: "m=" announces an extension that must be understood; there is none.
  if (parts === null) return malformed("the SCRAM client-first message lacks user or nonce");
  const username = unescapeName(parts[1] ?? "");
  if (username === null) return malformed("the SCRAM user name has a wrong escape");
  if (header.authzid !== "" && !isSameUsername(header.authzid, username)) {
    return failed("credentials", "the authorization identity is another user");
  }
  const nonce = `${parts[2]}${newNonce()}`;
  return {
    kind: "find_scram_keys",
    username,
    next: (credentials) =>
      challenge({ gs2Header: header.text, clientFirstBare, nonce, credentials }),
  };
}

/** server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count */
function challenge(opening: Omit<Opening, "serverFirst">): SaslStep {
  const { nonce, credentials: { salt, iterations } } = opening;
  const serverFirst = `r=${nonce},s=${encodeBase64(salt)},i=${iterations}`;
  return {
    kind: "challenge",
    data: encodeText(serverFirst),
    next: (response) => takeClientFinal(response, { ...opening, serverFirst }),
  };
}

/** client-final-message = channel-binding "," nonce ["," extensions] "," proof */
function takeClientFinal(message: Uint8Array, opening: Opening): SaslStep {
  const text = strictText(message);
  const parts = /^c=([^,]*),r=([^,]*)(?:,.*)?,p=([^,]*)$/s.exec(text ?? "");
  if (text === null || parts === null) {
    return malformed("the SCRAM client-final message lacks binding, nonce or proof");
  }
  const binding = decodeBase64(parts[1] ?? "");
  const proof = decodeBase64(parts[3] ?? "");
  if (proof?.length !== PROOF_BYTES) return malformed("the SCRAM proof is not of 32 octets");
  // RFC 5802 section 5.1: the header again, so that nobody in between changed its flag.
  if (binding === null || strictText(binding) !== opening.gs2Header) {
    return failed("credentials", "the SCRAM channel binding is not the header sent first");
  }
  if (parts[2] !== opening.nonce) return failed("credentials", "the SCRAM nonce differs");
  const clientFinalWithoutProof = text.slice(0, text.lastIndexOf(",p="));
  return verify({ opening, clientFinalWithoutProof, proof });
}

function verify(
  { opening, clientFinalWithoutProof, proof }: {
    opening: Opening;
    clientFinalWithoutProof: string;
    proof: Uint8Array;
  },
): SaslStep {
  const { clientFirstBare, serverFirst, credentials: { candidates } } = opening;
  const authMessage = encodeText(`${clientFirstBare},${serverFirst},${clientFinalWithoutProof}`);
  const proven = candidates.find((candidate) => isProof(proof, { candidate, authMessage }));
  if (proven === undefined) return failed("credentials", causeOf(candidates));
  if (proven.verdict.kind === "refused") return concluded(proven.verdict);
  const signature = hmacSha256(proven.serverKey, authMessage);
  return {
    kind: "challenge",
    data: encodeText(`v=${encodeBase64(signature)}`),
    // RFC 4954 section 4: what goes with success is a challenge, answered by an empty line.
    next: (response) =>
      response.length === 0
        ? concluded(proven.verdict)
        : malformed("the answer to the SCRAM server signature is not empty"),
  };
}

/** RFC 5802 section 3: ClientKey is the proof with the signature taken off; its hash is stored. */
function isProof(
  proof: Uint8Array,
  { candidate: { storedKey }, authMessage }: {
    candidate: ScramCandidate;
    authMessage: Uint8Array;
  },
): boolean {
  const signature = hmacSha256(storedKey, authMessage);
  const clientKey = proof.map((octet, index) => octet ^ (signature[index] ?? 0));
  return timingSafeEqual(sha256(clientKey), storedKey);
}

function causeOf([first]: readonly ScramCandidate[]): string {
  return first?.verdict.kind === "refused" ? first.verdict.cause : "the SCRAM proof is wrong";
}
