import type {
  Account,
  Authenticator,
  AuthExchange,
  AuthFailure,
  AuthStep,
  ClientCertificate,
  Identity,
} from "../../../src/auth/authenticator.ts";
import { failureReply } from "../../../src/auth/replies.ts";

/**
 * Knows `alice`, whose password is `secret`, by PLAIN and LOGIN, and by the certificate of
 * `CN=alice`. It takes the protocol apart no further than dialogues need.
 */
export class TestAuthenticator implements Authenticator {
  refresh(): null {
    return null;
  }

  mechanisms(): readonly string[] {
    return ["PLAIN", "LOGIN"];
  }

  start(mechanism: string): AuthExchange | null {
    if (mechanism.toUpperCase() === "PLAIN") return new Plain();
    return mechanism.toUpperCase() === "LOGIN" ? new Login() : null;
  }

  identify({ authorized, subject }: ClientCertificate): Identity | null {
    return authorized && subject === "CN=alice" ? identity("CERTIFICATE") : null;
  }

  account(): Account | null {
    return null;
  }

  reload(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {}
}

class Plain implements AuthExchange {
  begin(initialResponse: string | null): AuthStep {
    return initialResponse === null
      ? { kind: "challenge", text: "" }
      : this.respond(initialResponse);
  }

  respond(line: string): AuthStep {
    if (line === "*") return failure("cancelled");
    const text = decode(line);
    if (text === null) return failure("malformed");
    return text === "\0alice\0secret"
      ? { kind: "success", identity: identity("PLAIN") }
      : failure("credentials");
  }
}

class Login implements AuthExchange {
  #name: string | null = null;

  begin(initialResponse: string | null): AuthStep | Promise<AuthStep> {
    return initialResponse === null
      ? { kind: "challenge", text: btoa("Username:") }
      : this.respond(initialResponse);
  }

  respond(line: string): AuthStep | Promise<AuthStep> {
    if (line === "*") return failure("cancelled");
    const text = decode(line);
    if (text === null) return failure("malformed");
    if (this.#name === null) {
      this.#name = text;
      return { kind: "challenge", text: btoa("Password:") };
    }
    const isRight = this.#name === "alice" && text === "secret";
    const step = isRight
      ? { kind: "success", identity: identity("LOGIN") } as const
      : failure("credentials");
    return Promise.resolve(step); // as a real one, which takes its time
  }
}

function identity(mechanism: string): Identity {
  return { user: "alice", device: null, mechanism };
}

function failure(kind: AuthFailure): AuthStep {
  return { kind: "failure", failure: kind, reply: failureReply(kind), cause: `test: ${kind}` };
}

function decode(line: string): string | null {
  try {
    return atob(line === "=" ? "" : line);
  } catch {
    return null;
  }
}
