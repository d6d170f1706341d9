/** Chains below a trust anchor of the DNS (RFC 7672 section 3.1.2): names alone prove nothing. */
import { assertEquals } from "@std/assert";
import { createHash, X509Certificate } from "node:crypto";
import { daneMismatch, isUsable } from "../../../src/delivery/tls/dane.ts";
import type { TlsaRecord } from "../../../src/net/resolver.ts";
import { selfSigned, testAuthority } from "../../support/certificates.ts";

const HOST = "mx.dest.example";
const anchor = testAuthority("Anchor");
const impostor = testAuthority("Anchor"); // another key
const noAuthority = testAuthority("Anchor", { isCa: false });
const derOf = (pem: string) => new Uint8Array(new X509Certificate(pem).raw);

/** The record for a certificate: `2 0 1` and so on. */
function tlsa(form: string, pem: string): TlsaRecord {
  const [usage = 0, selector = 0, matchingType = 0] = form.split(" ").map(Number);
  const certificate = new X509Certificate(pem);
  const whole = selector === 0
    ? certificate.raw
    : certificate.publicKey.export({ type: "spki", format: "der" });
  const digest = ["", "sha256", "sha512"][matchingType] ?? "";
  const data = digest === "" ? whole : createHash(digest).update(whole).digest();
  return { usage, selector, matchingType, data: new Uint8Array(data) };
}

/** What a chain, the host's own certificate first, is worth below `root`. */
function mismatch(
  chain: readonly Uint8Array[],
  { root = anchor.certificate, form = "2 0 1", names = [HOST] } = {},
) {
  return daneMismatch(chain, { records: [tlsa(form, root)], names });
}

const leaf = anchor.issue({ names: [HOST] });
const anchorDer = derOf(anchor.certificate);
const LATE = { notBeforeMs: 1e12, notAfterMs: 1.1e12 };
const EARLY = { notBeforeMs: Date.now() + 3_600_000, notAfterMs: Date.now() + 7_200_000 };

Deno.test("DANE: a certificate that the anchor signed is the one", () => {
  assertEquals(mismatch([leaf.der, anchorDer]), null);
  for (const form of ["2 0 0", "2 0 2", "2 1 0", "2 1 1", "2 1 2"]) {
    assertEquals(mismatch([leaf.der, anchorDer], { form }), null, form);
  }
});

Deno.test("DANE: names that fit below the anchor's certificate are no signature of its key", () => {
  const forged = impostor.issue({ names: [HOST] });
  assertEquals(new X509Certificate(forged.der).issuer, new X509Certificate(leaf.der).issuer);
  assertEquals(mismatch([forged.der, anchorDer]), "not_matched");
});

Deno.test("DANE: what is no authority issues nothing", () => {
  const { certificate } = noAuthority;
  const chain = [noAuthority.issue({ names: [HOST] }).der, derOf(certificate)];
  assertEquals(mismatch(chain, { root: certificate }), "not_matched");
});

Deno.test("DANE: an issuer of another name is none", () => {
  const other = testAuthority("Other");
  assertEquals(
    mismatch([leaf.der, derOf(other.certificate)], { root: other.certificate }),
    "not_matched",
  );
});

Deno.test("DANE: the anchor has to be among what the host sends", () => {
  assertEquals([mismatch([leaf.der]), mismatch([])], ["not_matched", "not_matched"]);
  assertEquals(mismatch([leaf.der, derOf(impostor.certificate)]), "not_matched");
});

Deno.test("DANE: below an anchor dates and names count, for the host's own record neither", () => {
  for (const dates of [LATE, EARLY]) {
    assertEquals(mismatch([anchor.issue({ names: [HOST], ...dates }).der, anchorDer]), "expired");
  }
  const other = anchor.issue({ names: ["other.example"] });
  assertEquals(mismatch([other.der, anchorDer]), "wrong_name");
  assertEquals(mismatch([other.der, anchorDer], { names: [HOST, "other.example"] }), null);
  const own = selfSigned({ names: ["other.example"], ...LATE });
  const root = own.certificate;
  assertEquals(mismatch([own.der], { root, form: "3 1 1" }), null);
  assertEquals(mismatch([anchorDer, own.der], { root, form: "3 1 1" }), "not_matched");
  assertEquals(mismatch([leaf.der, anchorDer], { form: "3 0 1" }), "not_matched");
});

Deno.test("DANE: records that SMTP can use", () => {
  const is = (usage: number, selector: number, matchingType: number, bytes: number) =>
    isUsable({ usage, selector, matchingType, data: new Uint8Array(bytes) });
  for (const usage of [2, 3]) {
    for (const selector of [0, 1]) {
      const found = [[0, 5], [1, 32], [2, 64]] as const;
      for (const [type, bytes] of found) assertEquals(is(usage, selector, type, bytes), true);
    }
  }
  const unusable = [[0, 0, 1, 32], [1, 0, 1, 32], [4, 0, 1, 32], [3, 2, 1, 32], [3, 1, 3, 32]];
  for (const [usage = 0, selector = 0, type = 0, bytes = 0] of unusable) {
    assertEquals(is(usage, selector, type, bytes), false, `${usage} ${selector} ${type}`);
  }
  assertEquals([is(3, 1, 1, 31), is(3, 1, 1, 64), is(3, 1, 2, 32)], [false, false, false]);
});

Deno.test("DANE: octets that are the beginning of others are not the same", () => {
  const { data, ...record } = tlsa("3 0 0", leaf.certificate);
  for (const other of [data.subarray(0, -1), new Uint8Array([...data, 0])]) {
    const records = [{ ...record, data: other }];
    assertEquals(daneMismatch([leaf.der], { records, names: [HOST] }), "not_matched");
  }
});
