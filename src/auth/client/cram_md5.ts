import { createHmac } from "node:crypto";
import { encodeText } from "../../base/bytes.ts";
import type { ClientExchange, Credentials } from "./exchange.ts";

/** CRAM-MD5 (RFC 2195): the password stays here, but the server proves nothing. */
export function cramMd5({ username, password }: Credentials): ClientExchange {
  let isAnswered = false;
  return {
    mechanism: "CRAM-MD5",
    initial: null,
    respond(challenge) {
      if (isAnswered) return null;
      isAnswered = true;
      const digest = createHmac("md5", encodeText(password)).update(challenge).digest("hex");
      return encodeText(`${username} ${digest}`);
    },
    get isComplete() {
      return isAnswered;
    },
  };
}
