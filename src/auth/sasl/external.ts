import { isSameUsername } from "../prepare.ts";
import type { SaslServerMechanism, SaslStep, Verdict } from "./mechanism.ts";
import { clientFirst, concluded, failed, malformed, strictText } from "./messages.ts";

/** EXTERNAL, RFC 4422 appendix A: the certificate of the TLS handshake is the proof. */
export const external: SaslServerMechanism = {
  name: "EXTERNAL",
  start: (initialResponse) => clientFirst(initialResponse, check),
};

function check(message: Uint8Array): SaslStep {
  const authzid = strictText(message);
  if (authzid === null || authzid.includes("\0")) {
    return malformed("the EXTERNAL authorization identity is not text");
  }
  return { kind: "check_certificate", next: (verdict) => authorize(verdict, authzid) };
}

function authorize(verdict: Verdict, authzid: string): SaslStep {
  const isOther = verdict.kind === "accepted" && authzid !== "" &&
    !isSameUsername(verdict.proof.user, authzid);
  return isOther
    ? failed("credentials", "the authorization identity is another user")
    : concluded(verdict);
}
