import { encodeText } from "../base/bytes.ts";
import type { ScramCredentials } from "./sasl/mechanism.ts";
import { hmacSha256 } from "./scram_keys.ts";
import { SALT_BYTES } from "./password_hash.ts";
import type { User } from "./user_table.ts";
import { refused, UNKNOWN_USER, verdictOn } from "./verdicts.ts";

/**
 * Finds the keys of a user, and makes some up for everybody else (RFC 5802 section 9: the salt
 * would tell otherwise who exists). The same name gets the same salt as long as `key` is the same.
 */
export class ScramDecoys {
  readonly #key: Uint8Array;
  readonly #iterations: number;

  constructor({ key, iterations }: { key: Uint8Array; iterations: number }) {
    this.#key = key;
    this.#iterations = iterations;
  }

  /** `username` is prepared. */
  credentialsOf(user: User | null, username: string): ScramCredentials {
    const [first] = user?.scram ?? [];
    if (user === null || first === undefined) return this.#decoy(user, username);
    const candidates = user.scram.map(({ device, storedKey, serverKey }) => ({
      storedKey,
      serverKey,
      verdict: verdictOn(user, device),
    }));
    return { salt: first.salt, iterations: first.iterations, candidates };
  }

  #decoy(user: User | null, username: string): ScramCredentials {
    const make = (what: string): Uint8Array =>
      hmacSha256(this.#key, encodeText(`${what}\0${username}`));
    const verdict = user === null ? UNKNOWN_USER : refused(
      "credentials",
      `user ${JSON.stringify(user.account.name)} has no SCRAM keys`,
    );
    return {
      salt: make("salt").subarray(0, SALT_BYTES),
      iterations: this.#iterations,
      candidates: [{ storedKey: make("stored"), serverKey: make("server"), verdict }],
    };
  }
}
