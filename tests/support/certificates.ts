/**
 * Certificates for tests, made on the spot: X.509 version 3 (RFC 5280), ECDSA with P-256 and
 * SHA-256, written in DER by hand so that no other program is needed.
 */
import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import type { KeyPair } from "../../src/net/conn.ts";

/** A certificate with its key. */
export interface TestCertificate extends KeyPair {
  readonly der: Uint8Array;
  /** SHA-256 of `der`, lower-case hex. */
  readonly fingerprintSha256: string;
}

/** What a certificate says. */
export interface CertificateOptions {
  /** DNS names; the first is the common name, too. */
  readonly names: readonly string[];
  /** A minute ago where not given. */
  readonly notBeforeMs?: number;
  /** An hour from now where not given. */
  readonly notAfterMs?: number;
  /** What kind of key it is for; P-256 where not given. */
  readonly keyType?: "rsa";
}

/** Signs certificates. */
export interface TestAuthority {
  /** Its own, PEM. */
  readonly certificate: string;
  issue(options: CertificateOptions): TestCertificate;
}

/** Makes a root, or with `isCa` false what only pretends to be one. */
export function testAuthority(name = "Test Root", { isCa = true } = {}): TestAuthority {
  const keys = newKeys();
  const root = make({ names: [name] }, {
    keys,
    issuer: { name, key: keys.privateKey },
    isCa,
  });
  return {
    certificate: root.certificate,
    issue: (options) =>
      make(options, {
        keys: newKeys(options),
        issuer: { name, key: keys.privateKey },
        isCa: false,
      }),
  };
}

/** Makes a certificate that vouches for itself, as many mail servers have. */
export function selfSigned(options: CertificateOptions): TestCertificate {
  const keys = newKeys();
  const issuer = { name: options.names[0] ?? "", key: keys.privateKey };
  return make(options, { keys, issuer, isCa: true });
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function newKeys({ keyType }: Partial<CertificateOptions> = {}): Keys {
  if (keyType === "rsa") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

interface Signing {
  readonly keys: Keys;
  readonly issuer: { readonly name: string; readonly key: KeyObject };
  readonly isCa: boolean;
}

function make(options: CertificateOptions, { keys, issuer, isCa }: Signing): TestCertificate {
  const nowMs = Date.now();
  const body = sequence(
    tagged(0, integer([2])), // version 3
    integer([1, ...randomBytes(8)]), // serial number, positive
    ECDSA_WITH_SHA256,
    distinguishedName(issuer.name),
    sequence(
      time(options.notBeforeMs ?? nowMs - 60_000),
      time(options.notAfterMs ?? nowMs + 3_600_000),
    ),
    distinguishedName(options.names[0] ?? ""),
    keys.publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(basicConstraints(isCa), alternativeNames(options.names))),
  );
  const signature = sign("sha256", body, issuer.key);
  const der = sequence(body, ECDSA_WITH_SHA256, element(0x03, Buffer.from([0]), signature));
  return {
    certificate: pem(der),
    key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    der: new Uint8Array(der),
    fingerprintSha256: createHash("sha256").update(der).digest("hex"),
  };
}

function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const lengthOctets = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthOctets]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => element(0x30, ...parts);
const tagged = (number: number, content: Uint8Array): Buffer => element(0xa0 + number, content);
const integer = (octets: readonly number[]): Buffer => element(0x02, Buffer.from(octets));
const identifier = (...octets: readonly number[]): Buffer => element(0x06, Buffer.from(octets));
const text = (tag: number, value: string): Buffer => element(tag, Buffer.from(value));

/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = sequence(identifier(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2));

function distinguishedName(commonName: string): Buffer {
  return sequence(element(0x31, sequence(identifier(0x55, 4, 3), text(0x0c, commonName))));
}

function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/\D/g, "").slice(0, 14);
  return text(0x18, `${digits}Z`); // GeneralizedTime
}

function basicConstraints(isCa: boolean): Buffer {
  const value = isCa ? sequence(element(0x01, Buffer.from([0xff]))) : sequence();
  return sequence(identifier(0x55, 0x1d, 0x13), element(0x04, value));
}

function alternativeNames(names: readonly string[]): Buffer {
  const entries = sequence(...names.map((name) => text(0x82, name)));
  return sequence(identifier(0x55, 0x1d, 0x11), element(0x04, entries));
}

function pem(der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
