import type { AuthExchange, AuthFacts, AuthFailure, AuthStep } from "./authenticator.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { CredentialChecks } from "./checks.ts";
import { prepareUsername } from "./prepare.ts";
import { AUTH_LINE_LIMIT_BYTES, failureReply } from "./replies.ts";
import type {
  SaslEnd,
  SaslServerMechanism,
  SaslStep,
  ScramCredentials,
  Verdict,
} from "./sasl/mechanism.ts";
import { concluded, NOTHING } from "./sasl/messages.ts";

type Next = (response: Uint8Array) => SaslStep;

/** What an exchange is run with. */
export interface ExchangeOptions {
  readonly mechanism: SaslServerMechanism;
  readonly facts: AuthFacts;
  readonly checks: CredentialChecks;
  /** Whom a certificate stands for. */
  readonly certificateVerdict: (facts: AuthFacts) => Verdict;
}

/** Runs a mechanism for one client: base64 and limits outside, checks of credentials inside. */
export class SaslExchange implements AuthExchange {
  readonly #options: ExchangeOptions;
  /** Takes the answer to the last challenge; null when none is awaited. */
  #next: Next | null;
  /** The user that credentials were given for; undefined while none were. */
  #claimed: string | null | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#next = null;
  }

  begin(initialResponse: string | null): AuthStep | Promise<AuthStep> {
    const { mechanism } = this.#options;
    if (initialResponse === null) return this.#advance(mechanism.start(null));
    // RFC 4954 section 4: "=" stands for an initial response without octets.
    if (initialResponse === "=") return this.#advance(mechanism.start(NOTHING));
    return this.#take(initialResponse, (response) => mechanism.start(response));
  }

  respond(line: string): AuthStep | Promise<AuthStep> {
    const next = this.#next;
    if (next === null) throw new Error("Cannot respond: no challenge is open, got a line");
    this.#next = null;
    if (line === "*") return failure("cancelled", "the client cancelled");
    return this.#take(line, next);
  }

  #take(line: string, next: Next): AuthStep | Promise<AuthStep> {
    if (line.length > AUTH_LINE_LIMIT_BYTES - 2) {
      return failure("too_long", "the client's line is too long");
    }
    const response = decodeBase64(line);
    return response === null
      ? failure("malformed", "the client's line is not base64")
      : this.#advance(next(response));
  }

  /** Goes on until the client has to say something or the exchange is over. */
  #advance(first: SaslStep): AuthStep | Promise<AuthStep> {
    let step = first;
    for (;;) {
      if (step.kind === "challenge") {
        this.#next = step.next;
        return { kind: "challenge", text: encodeBase64(step.data) };
      }
      if (step.kind === "success" || step.kind === "failure") return this.#end(step);
      const answered = this.#answer(step);
      if (answered instanceof Promise) {
        return answered.then(
          (next) => this.#advance(next),
          (error) => failure("unavailable", `the check failed: ${messageOf(error)}`),
        );
      }
      step = answered;
    }
  }

  /** Gets a mechanism what it asks for. */
  #answer(step: Exclude<SaslStep, SaslEnd | { kind: "challenge" }>): SaslStep | Promise<SaslStep> {
    const { checks, facts, certificateVerdict } = this.#options;
    if (step.kind === "check_certificate") return step.next(certificateVerdict(facts));
    this.#claimed = step.username === null ? null : prepareUsername(step.username) ?? "";
    switch (step.kind) {
      case "check_password": {
        const { username, password, next } = step;
        return whenKnown(checks.password({ username, password, facts }), next);
      }
      case "check_token":
        return whenKnown(checks.token(step, facts), step.next);
      case "find_scram_keys":
        return whenKnown(
          checks.scram(step.username, facts),
          (found) => isVerdict(found) ? concluded(found) : step.next(found),
        );
    }
  }

  #end(end: SaslEnd): AuthStep {
    const { mechanism, checks, facts: { clientAddress } } = this.#options;
    const attempt = this.#claimed === undefined ? null : { clientAddress, user: this.#claimed };
    if (end.kind === "success") {
      if (attempt !== null) checks.conclude(attempt, "right");
      return { kind: "success", identity: { ...end.proof, mechanism: mechanism.name } };
    }
    if (attempt !== null && end.failure === "credentials") checks.conclude(attempt, "wrong");
    return failure(end.failure, end.cause);
  }
}

function failure(kind: AuthFailure, cause: string): AuthStep {
  return { kind: "failure", failure: kind, reply: failureReply(kind), cause };
}

function isVerdict(found: ScramCredentials | Verdict): found is Verdict {
  return "kind" in found;
}

function whenKnown<T>(
  value: T | Promise<T>,
  then: (value: T) => SaslStep,
): SaslStep | Promise<SaslStep> {
  return value instanceof Promise ? value.then(then) : then(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
