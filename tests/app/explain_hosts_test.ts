import { assert, assertEquals } from "@std/assert";
import { hostsOf } from "../../src/app/explain/hosts.ts";
import { systemClock } from "../../src/base/clock.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { StsFinding } from "../../src/delivery/tls/sts.ts";
import { type Names, smtpServices } from "../support/smtp_services.ts";

const HOST = "mx.dest.example";
const TLSA = { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32) };
const NAMES: Names = {
  mx: { "dest.example": [`10 ${HOST}`] },
  addresses: { [HOST]: ["192.0.2.1"] },
};

/** What is said of the only exchanger. */
async function said(
  { lines = "", names = NAMES, sts = { kind: "none" } }: {
    lines?: string;
    names?: Names;
    sts?: StsFinding;
  },
): Promise<string> {
  const loaded = await loadConfig({
    path: "c.toml",
    env: () => undefined,
    readFile: () => Promise.resolve(`[transports.mx]\ntype = "mx"\n${lines}`),
    systemHostname: "relay.example",
  });
  assert(loaded.kind === "ok");
  const { mx } = loaded.config.transports;
  assert(mx !== undefined);
  using services = smtpServices({ names });
  const hosts = await hostsOf(mx, {
    ...{ domain: "dest.example", hostname: "relay.example", clock: systemClock },
    resolver: services.resolver,
    findSts: () => Promise.resolve(sts),
  });
  return hosts.map(({ tls, problem }) => problem === "" ? tls : `! ${problem}`).join();
}

function policy(mode: "enforce" | "testing", mx: string): StsFinding {
  return { kind: "policy", policy: { mode, mx: [mx], maxAgeMs: 1000 } };
}

Deno.test("hosts are explained with what a domain asks by MTA-STS", async () => {
  assertEquals(await said({ sts: policy("enforce", HOST) }), `TLS verified by MTA-STS for ${HOST}`);
  assertEquals(
    await said({ sts: policy("testing", HOST) }),
    "opportunistic TLS (MTA-STS is in testing)",
  );
  assertEquals(
    await said({ sts: policy("enforce", "else.example") }),
    `! 451 4.7.5 ${HOST} is not a mail exchanger of dest.example in its MTA-STS policy`,
  );
  assertEquals(
    await said({ sts: { kind: "failed", type: "sts-policy-invalid" } }),
    "opportunistic TLS (its MTA-STS policy is unavailable: sts-policy-invalid)",
  );
});

Deno.test("hosts are explained with what they publish for DANE", async () => {
  const names = { ...NAMES, insecure: [], tlsa: { [`_25._tcp.${HOST}`]: [TLSA] } };
  assertEquals(await said({ names }), "TLS verified by DANE (TLSA records: 1)");
  assertEquals(await said({ names, lines: "dane = false" }), "opportunistic TLS");
  const hidden = { ...names, tlsa: { [`_25._tcp.${HOST}`]: null } };
  assertEquals(
    await said({ names: hidden }),
    `! 451 4.7.5 Cannot look up the TLSA records of ${HOST}: server failure`,
  );
});

Deno.test("hosts are explained with what the configuration asks", async () => {
  assertEquals(
    await said({ lines: `tls = "verified"` }),
    `TLS verified for ${HOST} or dest.example`,
  );
  assertEquals(await said({ lines: `tls = "none"` }), "no TLS");
  assertEquals(
    await said({ lines: `tls = "dane"` }),
    `! 451 4.7.5 ${HOST} has no TLSA record authenticated by DNSSEC`,
  );
});
