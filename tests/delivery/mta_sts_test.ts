import { assertEquals, assertMatch } from "@std/assert";
import { MxTransport } from "../../src/delivery/mx.ts";
import type { TlsOutcome } from "../../src/delivery/tls/outcome.ts";
import type { StsFinding } from "../../src/delivery/tls/sts.ts";
import { testAuthority } from "../support/certificates.ts";
import { type SampleJob, sampleJob } from "../support/delivery_jobs.ts";
import { type Script, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords } from "../support/smarthost_setup.ts";
import { dialByAddress, smtpServices } from "../support/smtp_services.ts";

const authority = testAuthority();
const HOST = "mx.dest.example";
const ADDRESS = "192.0.2.1";
const GOOD: Script = {
  extensions: ["STARTTLS", "REQUIRETLS"],
  tls: { certificates: [authority.issue({ names: [HOST] })] },
};
const OTHER: Script = {
  ...GOOD,
  tls: { certificates: [authority.issue({ names: ["other.example"] })] },
};

function policy(mode: "enforce" | "testing", mx: string): StsFinding {
  return { kind: "policy", policy: { mode, mx: [mx], maxAgeMs: 1000 } };
}

/** Delivers a message to a domain with that policy; what came of it, and what is reported. */
async function deliver(
  script: Script,
  { sts, sample = {} }: { sts: StsFinding; sample?: SampleJob },
) {
  await using peer = startScriptedPeer(script);
  using services = smtpServices({
    names: { mx: { "dest.example": [`10 ${HOST}`] }, addresses: { [HOST]: [ADDRESS] } },
    dialer: dialByAddress({ [ADDRESS]: peer.port }),
  });
  const reported: string[] = [];
  const onTlsOutcome = ({ published, failure }: TlsOutcome): void => {
    const where = failure === null ? "" : ` at ${failure.host} ${failure.receivingAddress}`;
    reported.push(`${published.type}: ${failure?.type ?? "fine"}${where}`.trim());
  };
  await using transport = new MxTransport({
    name: "mx",
    heloName: "relay.example",
    services: { ...services, sts: { find: () => Promise.resolve(sts) }, onTlsOutcome },
    tls: {
      rule: { level: "opportunistic" },
      mtaSts: true,
      settings: { ca: [authority.certificate] },
    },
  });
  const { signal } = new AbortController();
  const report = await transport.deliver(sampleJob(sample), { signal });
  const how = report.tls === null ? "plain" : report.proof ?? "unproven";
  return { outcome: `${inWords(report).join()} | ${how}`, reported };
}

Deno.test("MTA-STS: an exchanger that fits its policy gets the mail", async () => {
  assertEquals(await deliver(GOOD, { sts: policy("enforce", HOST) }), {
    outcome: "delivered 250 2.0.0 Stored | mta_sts",
    reported: ["sts: fine"],
  });
});

Deno.test("MTA-STS: enforce means no delivery to an exchanger that does not fit", async () => {
  const sts = policy("enforce", "*.dest.example");
  const wrongName = await deliver(OTHER, { sts });
  assertMatch(wrongName.outcome, /^broken 451 4\.7\.5 .* is for other\.example, not mx\.dest/);
  assertEquals(wrongName.reported, [`sts: certificate-host-mismatch at ${HOST} ${ADDRESS}`]);
  const plain = await deliver({}, { sts });
  assertMatch(plain.outcome, /^broken 451 4\.7\.4 /);
  assertEquals(plain.reported, [`sts: starttls-not-supported at ${HOST} ${ADDRESS}`]);
  const unnamed = await deliver(GOOD, { sts: policy("enforce", "else.example") });
  assertEquals(
    unnamed.outcome,
    "broken 451 4.7.5 mx.dest.example is not a mail exchanger of dest.example in its MTA-STS policy | plain",
  );
  assertEquals(unnamed.reported, [`sts: validation-failure at ${HOST}`]);
});

Deno.test("MTA-STS: testing delivers, and tells what enforce would not have", async () => {
  assertEquals(await deliver(OTHER, { sts: policy("testing", HOST) }), {
    outcome: "delivered 250 2.0.0 Stored | unproven",
    reported: [`sts: certificate-host-mismatch at ${HOST} ${ADDRESS}`],
  });
  assertEquals(await deliver(GOOD, { sts: policy("testing", "else.example") }), {
    outcome: "delivered 250 2.0.0 Stored | unproven",
    reported: [`sts: validation-failure at ${HOST} ${ADDRESS}`],
  });
});

Deno.test("MTA-STS: a policy that cannot be fetched stops nothing and is told", async () => {
  const sts = { kind: "failed", type: "sts-policy-fetch-error" } as const;
  assertEquals(await deliver(OTHER, { sts }), {
    outcome: "delivered 250 2.0.0 Stored | unproven",
    reported: [`sts: sts-policy-fetch-error at ${HOST} ${ADDRESS}`],
  });
});

Deno.test("MTA-STS: a message may say that its security is not worth failing for", async () => {
  const sample: SampleJob = { body: "TLS-Required: No\r\n\r\nHello\r\n" };
  const { outcome } = await deliver({}, { sts: policy("enforce", HOST), sample });
  assertEquals(outcome, "delivered 250 2.0.0 Stored | plain");
});

Deno.test("REQUIRETLS: the policy vouches for the exchanger", async () => {
  const sample: SampleJob = { message: { extras: { requireTls: true } } };
  const { outcome } = await deliver(GOOD, { sts: policy("enforce", HOST), sample });
  assertEquals(outcome, "delivered 250 2.0.0 Stored | mta_sts");
});

Deno.test("REQUIRETLS: a message is returned where nobody vouches for the exchanger", async () => {
  const sample: SampleJob = { message: { extras: { requireTls: true } } };
  const { outcome } = await deliver(GOOD, { sts: { kind: "none" }, sample });
  assertMatch(outcome, /^unsuitable 550 5\.7\.30 Neither DNSSEC nor MTA-STS authenticates/);
});

Deno.test("REQUIRETLS: a message is returned where the way behind is not promised", async () => {
  const sample: SampleJob = { message: { extras: { requireTls: true } } };
  const script = { ...GOOD, extensions: ["STARTTLS"] };
  const { outcome } = await deliver(script, { sts: policy("enforce", HOST), sample });
  assertMatch(outcome, /^unsuitable 550 5\.7\.30 Next hop does not guarantee TLS/);
});

Deno.test("REQUIRETLS: a message that asks for it cannot do without by a field", async () => {
  const sample: SampleJob = {
    body: "TLS-Required: No\r\n\r\nHello\r\n",
    message: { extras: { requireTls: true } },
  };
  for (const script of [{}, OTHER]) {
    const { outcome } = await deliver(script, { sts: policy("enforce", HOST), sample });
    assertMatch(outcome, /^broken 451 4\.7\.[45] /);
  }
});
