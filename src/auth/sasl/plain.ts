import { isSameUsername } from "../prepare.ts";
import type { SaslServerMechanism, SaslStep } from "./mechanism.ts";
import { clientFirst, concluded, failed, malformed, strictText } from "./messages.ts";

/** PLAIN, RFC 4616: `[authzid] NUL authcid NUL passwd`. */
export const plain: SaslServerMechanism = {
  name: "PLAIN",
  start: (initialResponse) => clientFirst(initialResponse, check),
};

function check(message: Uint8Array): SaslStep {
  const text = strictText(message);
  if (text === null) return malformed("the PLAIN message is not UTF-8");
  const [authzid = "", username = "", password = "", ...others] = text.split("\0");
  // RFC 4616 section 2: 1*SAFE for both, and no NUL within any of the three.
  if (username === "" || password === "" || others.length > 0) {
    return malformed("the PLAIN message is not of the form [authzid] NUL authcid NUL passwd");
  }
  // Nobody may act as somebody else; a client that names itself twice is the usual case.
  if (authzid !== "" && !isSameUsername(authzid, username)) {
    return failed("credentials", "the authorization identity is another user");
  }
  return { kind: "check_password", username, password, next: concluded };
}
