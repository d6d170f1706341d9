import { assertEquals } from "@std/assert";
import { Gate } from "../../src/base/gate.ts";
import { providerProof } from "../../src/app/report_proof.ts";
import { concatBytes, encodeText } from "../../src/base/bytes.ts";
import type { DnsResult, Resolver } from "../../src/net/resolver.ts";
import { DkimSigner } from "../../src/signing/signer.ts";
import { makeKey, recordsOf } from "../signing/verify_setup.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { ManualClock } from "../support/manual_clock.ts";

const { key } = makeKey("provider.example", "ed25519");
const clock = new ManualClock(Date.now());
const REPORT = encodeText("From: fbl@provider.example\r\nSubject: complaint\r\n\r\nabuse\r\n");

const TXT: Readonly<Record<string, string>> = {
  ...recordsOf([key]),
  "provider.example": "v=spf1 ip4:192.0.2.25 -all",
  "stranger.example": "v=spf1 ip4:203.0.113.9 -all",
};
const MX: Readonly<Record<string, string>> = { "hosted.example": "mx1.Provider.example" };

function found<T>(record: T | undefined, canonicalName: string): Promise<DnsResult<T>> {
  const facts = { ttlMs: 1000, authentic: false } as const;
  return Promise.resolve(
    record === undefined
      ? { kind: "nonexistent", ...facts }
      : { kind: "found", records: [record], canonicalName, ...facts },
  );
}

const resolver = {
  txt: (name: string) => found(TXT[name], name),
  mx: (name: string) => {
    const exchange = MX[name];
    return found(exchange === undefined ? undefined : { preference: 1, exchange }, name);
  },
  addresses: (name: string) => found(undefined, name),
} as unknown as Resolver;

async function signed(): Promise<Uint8Array> {
  const stream = new DkimSigner({ keys: [key], clock, gate: new Gate(1) }).begin();
  stream.write(REPORT);
  return concatBytes([encodeText(await stream.finish()), REPORT]);
}

interface Case {
  readonly name: string;
  readonly signed?: boolean;
  readonly from?: string;
  readonly helo?: string;
  readonly address: string;
  readonly domain: string;
  readonly expected: boolean;
}

const CASES: readonly Case[] = [
  {
    ...{ name: "SPF of the recipient's domain", from: "fbl@provider.example" },
    ...{ address: "192.0.2.25", domain: "provider.example", expected: true },
  },
  {
    ...{ name: "SPF of the greeting, for a null reverse-path", helo: "provider.example" },
    ...{ address: "192.0.2.25", domain: "provider.example", expected: true },
  },
  {
    ...{ name: "SPF of those whose exchanger takes the mail", from: "fbl@provider.example" },
    ...{ address: "192.0.2.25", domain: "hosted.example", expected: true },
  },
  {
    ...{ name: "DKIM of the domain, from anywhere", signed: true, from: "x@stranger.example" },
    ...{ address: "203.0.113.80", domain: "mail.provider.example", expected: true },
  },
  {
    ...{ name: "another address than SPF has", from: "fbl@provider.example" },
    ...{ address: "203.0.113.9", domain: "provider.example", expected: false },
  },
  {
    ...{ name: "a stranger that authenticates as itself", from: "x@stranger.example" },
    ...{ address: "203.0.113.9", domain: "provider.example", expected: false },
  },
  {
    ...{ name: "nothing at all", address: "203.0.113.9", domain: "provider.example" },
    expected: false,
  },
  {
    ...{ name: "a report for another provider's recipient", signed: true },
    ...{ address: "203.0.113.9", domain: "victim.example", expected: false },
  },
  {
    ...{ name: "a domain that only ends alike", signed: true, address: "203.0.113.9" },
    ...{ domain: "notprovider.example", expected: false },
  },
];

for (
  const { name, from = "", helo = "", address: clientAddress, domain, expected, ...one } of CASES
) {
  Deno.test(`proof of a report: ${name}`, async () => {
    const origin = { listener: "smtp", clientAddress, clientPort: 1, helo, protocol: "ESMTP" };
    const report = sampleJob({
      body: one.signed === true ? await signed() : REPORT,
      message: { reversePath: from, origin },
    });
    assertEquals(await providerProof(report, { resolver, clock })(domain), expected);
  });
}
