import { encodeText } from "../../base/bytes.ts";
import type { SaslServerMechanism, SaslStep } from "./mechanism.ts";
import { concluded, malformed, strictText } from "./messages.ts";

// draft-murchison-sasl-login-00 section 2.2: clients are known to compare these texts.
const ASK_USERNAME = encodeText("Username:");
const ASK_PASSWORD = encodeText("Password:");

/**
 * LOGIN, never standardized but the only mechanism of many devices. An initial response, which
 * the draft does not have but clients send, is the user's name.
 */
export const login: SaslServerMechanism = {
  name: "LOGIN",
  start: (initialResponse) =>
    initialResponse === null
      ? { kind: "challenge", data: ASK_USERNAME, next: takeUsername }
      : takeUsername(initialResponse),
};

function takeUsername(response: Uint8Array): SaslStep {
  const username = textOf(response);
  if (username === null) return malformed("the LOGIN user name is empty or not text");
  return {
    kind: "challenge",
    data: ASK_PASSWORD,
    next: (answer) => takePassword(username, answer),
  };
}

function takePassword(username: string, response: Uint8Array): SaslStep {
  const password = textOf(response);
  if (password === null) return malformed("the LOGIN password is empty or not text");
  return { kind: "check_password", username, password, next: concluded };
}

function textOf(response: Uint8Array): string | null {
  const text = strictText(response);
  return text === "" || text?.includes("\0") ? null : text;
}
