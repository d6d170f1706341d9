import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/schema.ts";
import type { NotificationMaker } from "../delivery/notifications.ts";
import type { Origin } from "../mail/envelope.ts";
import { isTrusted, type RelayRules } from "../policy/relay_policy.ts";
import type { IncomingMessage, SigningStream } from "../queue/intake.ts";
import type { NewMessage } from "../queue/store.ts";
import { readKeys } from "../signing/keys.ts";
import { DkimSigner } from "../signing/signer.ts";
import { relayRules } from "./policy.ts";

/** Signs mail of those who may send to anybody, and the relay's own. */
export class MailSigning {
  readonly #signer: DkimSigner | null;
  readonly #rules: RelayRules;

  constructor(config: Config, { clock, parallel }: { clock: Clock; parallel: number }) {
    const keys = readKeys(config.dkim);
    this.#signer = keys.length === 0 ? null : new DkimSigner({ keys, clock, parallel });
    this.#rules = relayRules(config);
  }

  /**
   * Starts to sign a message that comes in; null when it is not signed. A stranger may claim any
   * author, so only mail of those who may relay is signed.
   */
  begin({ origin }: IncomingMessage): SigningStream | null {
    return this.#signer !== null && this.#maySign(origin) ? this.#signer.begin() : null;
  }

  /** Makes notifications that are signed like other mail. */
  signed(make: NotificationMaker): NotificationMaker {
    const signer = this.#signer;
    if (signer === null) return make;
    return (facts) => {
      const made = make(facts);
      if (!(made instanceof Promise) && made.length === 0) return made;
      return Promise.resolve(made).then((messages) =>
        Promise.all(messages.map((message) => signedMessage(message, signer)))
      );
    };
  }

  /** The signatures of octets that are in memory; empty for none. */
  async sign(octets: Uint8Array): Promise<string> {
    const stream = this.#signer?.begin();
    if (stream === undefined) return "";
    stream.write(octets);
    return await stream.finish();
  }

  #maySign({ clientAddress, user, listener }: Origin): boolean {
    if (listener === "local" || listener === "http") return true;
    return isTrusted(this.#rules, { clientAddress, user: user ?? null });
  }
}

/** A message that is in memory, with its signatures. */
async function signedMessage(message: NewMessage, signer: DkimSigner): Promise<NewMessage> {
  if (message.place.kind !== "inline") return message;
  const stream = signer.begin();
  stream.write(message.place.bytes);
  const prefix = await stream.finish();
  if (prefix === "") return message;
  const sizeBytes = message.facts.sizeBytes + prefix.length;
  return { ...message, prefix, facts: { ...message.facts, sizeBytes } };
}
