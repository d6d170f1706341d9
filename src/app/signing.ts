import { Gate } from "../base/gate.ts";
import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/schema.ts";
import type { ArcConfig } from "../config/sections/arc.ts";
import type { NotificationMaker } from "../delivery/notifications.ts";
import type { Origin } from "../mail/envelope.ts";
import type { HeaderReading } from "../mail/headers.ts";
import type { Resolver } from "../net/resolver.ts";
import { isTrusted, type RelayRules } from "../policy/relay_policy.ts";
import type { ExpansionNotice, IncomingMessage } from "../queue/intake.ts";
import type { MessageRecord, NewMessage } from "../queue/store.ts";
import { ArcSealer } from "../signing/arc/sealer.ts";
import { readKeys } from "../signing/keys.ts";
import { DkimSigner } from "../signing/signer.ts";
import { SigningStream, type SigningWork } from "../signing/stream.ts";
import { sealFacts } from "./arc_facts.ts";
import { relayRules } from "./policy.ts";
import { sealingKey } from "./signing_keys.ts";

/** What signing needs besides the configuration. */
export interface SigningServices {
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** Signatures made at once. */
  readonly parallel: number;
}

/** Signs mail of those who may send to anybody, and the relay's own; seals that of others. */
export class MailSigning {
  readonly #signer: DkimSigner | null;
  readonly #sealer: { readonly sealer: ArcSealer; readonly config: ArcConfig } | null;
  readonly #rules: RelayRules;
  readonly #services: SigningServices;

  constructor(config: Config, services: SigningServices) {
    const { clock, resolver, parallel } = services;
    const gate = new Gate(parallel);
    const keys = readKeys(config.dkim);
    this.#signer = keys.length === 0 ? null : new DkimSigner({ keys, clock, gate });
    this.#sealer = config.arc === null ? null : {
      config: config.arc,
      sealer: new ArcSealer({
        ...{ key: sealingKey(config.arc), authservId: config.hostname, clock, gate },
        txt: (name) => resolver.txt(name),
      }),
    };
    this.#rules = relayRules(config);
    this.#services = services;
  }

  /**
   * Starts to sign a message that comes in; null when it is not signed. A stranger may claim any
   * author, so only mail of those who may relay is signed, and only in names that they may use.
   */
  begin(message: IncomingMessage, { header, mayAuthor }: HeaderReading): SigningWork | null {
    if (!header.complete) return null;
    const isTrusted = this.#isTrusted(message.origin);
    const signed = isTrusted && mayAuthor ? this.#signer?.work(header) ?? null : null;
    if (signed !== null) return signed;
    const sealer = this.#sealerFor(message.origin, isTrusted);
    return sealer?.work(header, sealFacts(message, this.#services)) ?? null;
  }

  /**
   * Signs or seals anew a message that was before, in another form: `octets` are those behind the
   * fields that signed it. Empty where the keys for it are gone.
   */
  async resign(
    { prefix = "" }: MessageRecord,
    octets: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const sealer = this.#sealer?.sealer;
    const stream = new SigningStream((header) =>
      sealer?.again(header, prefix) ?? this.#signer?.work(header) ?? null
    );
    for await (const chunk of octets) stream.write(chunk);
    return await stream.finish();
  }

  /** Starts to sign a message that an operator brings; null when there are no keys. */
  start(): SigningStream | null {
    return this.#signer?.begin() ?? null;
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

  /** Makes notices of expansion that are signed like other mail. */
  signedNotice(make: ExpansionNotice): ExpansionNotice {
    const signer = this.#signer;
    if (signer === null) return make;
    return async (facts) => {
      const notice = await make(facts);
      return notice === null ? null : await signedMessage(notice, signer);
    };
  }

  /** The signatures of octets that are in memory and came from there; empty for none. */
  async sign(octets: Uint8Array, origin: Origin): Promise<string> {
    const stream = this.#isTrusted(origin) ? this.#signer?.begin() : undefined;
    if (stream === undefined) return "";
    stream.write(octets);
    return await stream.finish();
  }

  #sealerFor({ listener }: Origin, isTrusted: boolean): ArcSealer | null {
    if (this.#sealer === null || listener === "local") return null;
    const { sealer, config: { listeners, trusted } } = this.#sealer;
    if (isTrusted && !trusted) return null;
    return listeners === null || listeners.includes(listener) ? sealer : null;
  }

  #isTrusted({ clientAddress, user, listener }: Origin): boolean {
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
