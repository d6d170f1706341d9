import { encodeText } from "../../base/bytes.ts";
import type { ClientExchange, Credentials } from "./exchange.ts";

/** PLAIN (RFC 4616): the user acts as itself. */
export function plain({ username, password }: Credentials): ClientExchange {
  return {
    mechanism: "PLAIN",
    initial: encodeText(`\0${username}\0${password}`),
    respond: () => null, // nothing is left to be asked
    isComplete: true,
  };
}
