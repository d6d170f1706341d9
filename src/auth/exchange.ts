import type { AuthExchange, AuthFacts, AuthFailure, AuthStep } from "./authenticator.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { CredentialChecks, ScramLookup } from "./checks.ts";
import { AUTH_LINE_LIMIT_BYTES, failureReply } from "./replies.ts";
import type { SaslEnd, SaslServerMechanism, SaslStep, Verdict } from "./sasl/mechanism.ts";
import { concluded, NOTHING } from "./sasl/messages.ts";
import type { Ticket } from "./throttle.ts";

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
  /** Of an attempt that ends with the exchange; one that never ends has failed. */
  #ticket: Ticket | null = null;

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
    if (line === "*") {
      this.#ticket?.end("wrong"); // it has seen the challenge, and may come again
      return failure("cancelled", "the client cancelled");
    }
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
    switch (step.kind) {
      case "check_certificate":
        return whenKnown(checks.certificate(facts, () => certificateVerdict(facts)), step.next);
      case "check_password": {
        const { username, password, next } = step;
        return whenKnown(checks.password({ username, password, facts }), next);
      }
      case "check_token":
        return whenKnown(checks.token(step, facts), step.next);
      case "find_scram_keys":
        return whenKnown(
          checks.scram(step.username, facts),
          (found) => {
            if (isVerdict(found)) return concluded(found);
            this.#ticket = found.ticket;
            return step.next(found.credentials);
          },
        );
    }
  }

  #end(end: SaslEnd): AuthStep {
    this.#ticket?.end(end.kind === "success" ? "right" : "wrong");
    if (end.kind === "failure") return failure(end.failure, end.cause);
    return { kind: "success", identity: { ...end.proof, mechanism: this.#options.mechanism.name } };
  }
}

function failure(kind: AuthFailure, cause: string): AuthStep {
  return { kind: "failure", failure: kind, reply: failureReply(kind), cause };
}

function isVerdict(found: ScramLookup | Verdict): found is Verdict {
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
