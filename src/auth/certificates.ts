import type { ClientCertificate } from "./authenticator.ts";
import type { CertificateRule } from "./settings.ts";

/** Which certificates stand for which users. */
export class CertificateMap {
  readonly #fingerprints = new Map<string, string>();
  readonly #subjects = new Map<string, string>();
  readonly #names = new Map<string, string>();

  constructor(rules: readonly CertificateRule[]) {
    for (const { user, fingerprint, subject, san } of rules) {
      if (fingerprint !== null) {
        this.#fingerprints.set(fingerprint.replaceAll(":", "").toLowerCase(), user);
      }
      if (subject !== null) this.#subjects.set(subject, user);
      if (san !== null) this.#names.set(san.toLowerCase(), user);
    }
  }

  /**
   * The user a certificate stands for; null for none. The handshake proved that the client holds
   * the key, which is enough where the fingerprint is known; a name holds only if somebody
   * trusted signed it.
   */
  find(certificate: ClientCertificate): string | null {
    const pinned = this.#fingerprints.get(certificate.fingerprintSha256);
    if (pinned !== undefined) return pinned;
    if (!certificate.authorized) return null;
    const subject = this.#subjects.get(certificate.subject);
    if (subject !== undefined) return subject;
    for (const name of certificate.names) {
      const user = this.#names.get(name.toLowerCase());
      if (user !== undefined) return user;
    }
    return null;
  }
}
