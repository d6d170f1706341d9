import { encodeText } from "../../base/bytes.ts";
import type { ClientExchange, Credentials } from "./exchange.ts";

/** LOGIN, which no RFC describes: two prompts, whose texts vary, for name and password. */
export function login({ username, password }: Credentials): ClientExchange {
  const answers = [username, password];
  return {
    mechanism: "LOGIN",
    initial: null,
    respond() {
      const answer = answers.shift();
      return answer === undefined ? null : encodeText(answer);
    },
    get isComplete() {
      return answers.length === 0;
    },
  };
}
