import { assert, assertEquals } from "@std/assert";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { MxTransport } from "../../src/delivery/mx.ts";
import type { DeliveryReport } from "../../src/delivery/transport.ts";
import type { TlsRules } from "../../src/delivery/tls/rules.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { type Script, type ScriptedPeer, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords } from "../support/smarthost_setup.ts";
import { dialByAddress, type Names, smtpServices } from "../support/smtp_services.ts";

const STORED = ["delivered 250 2.0.0 Stored"];

/** A transport in a world of a few names and, by address, the peers that listen there. */
interface MxSetup extends AsyncDisposable {
  readonly transport: MxTransport;
  readonly dialed: readonly string[];
  readonly lookups: readonly string[];
  peerAt(address: string): ScriptedPeer;
  deliver(domain: string): Promise<DeliveryReport>;
}

function mxSetup(
  { names, peers = {}, ...options }: {
    names: Names;
    peers?: Readonly<Record<string, Script>>;
    seed?: number;
    addressOrder?: "ipv6_first" | "ipv4_only" | "ipv6_only";
    maxAddresses?: number;
    ownNames?: readonly string[];
    clock?: Clock;
    tls?: TlsRules;
  },
): MxSetup {
  const started = new Map(
    Object.entries(peers).map(([address, script]) => [address, startScriptedPeer(script)]),
  );
  const ports = Object.fromEntries([...started].map(([address, { port }]) => [address, port]));
  const dialer = dialByAddress(ports);
  const { seed = 1, clock = systemClock, ...rest } = options;
  const services = smtpServices({ names, dialer, seed, clock });
  const transport = new MxTransport({ name: "mx", heloName: "relay.example", services, ...rest });
  return {
    transport,
    dialed: dialer.dialed,
    lookups: services.lookups,
    peerAt: (address) => started.get(address) as ScriptedPeer,
    deliver: (domain) => {
      const job = sampleJob({ recipients: [`user@${domain}`] });
      return transport.deliver(job, { signal: new AbortController().signal });
    },
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      for (const peer of started.values()) await peer[Symbol.asyncDispose]();
      services[Symbol.dispose]();
    },
  };
}

const TWO_HOSTS: Names = {
  mx: { "dest.example": ["20 backup.example", "10 primary.example"] },
  addresses: { "primary.example": ["192.0.2.1"], "backup.example": ["192.0.2.2"] },
};

Deno.test("the exchanger of the best preference is tried first", async () => {
  await using setup = mxSetup({ names: TWO_HOSTS, peers: { "192.0.2.1": {}, "192.0.2.2": {} } });
  const report = await setup.deliver("dest.example");
  assertEquals(inWords(report), STORED);
  assertEquals(report.remote, { host: "primary.example", address: "192.0.2.1", port: 25 });
  assertEquals(setup.dialed, ["192.0.2.1"]);
});

Deno.test("the next exchanger stands in, and the dead one is left alone for a while", async () => {
  await using setup = mxSetup({ names: TWO_HOSTS, peers: { "192.0.2.2": {} } });
  for (let count = 0; count < 3; count++) {
    assertEquals(inWords(await setup.deliver("dest.example")), STORED);
  }
  assertEquals(setup.dialed, ["192.0.2.1", "192.0.2.2"]);
  assertEquals(setup.peerAt("192.0.2.2").sessions, 1);
});

Deno.test("exchangers of one preference share the work", async () => {
  const first = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const names: Names = {
      mx: { "dest.example": ["10 a.example", "10 b.example", "5 down.example"] },
      addresses: {
        "a.example": ["192.0.2.1"],
        "b.example": ["192.0.2.2"],
        "down.example": ["192.0.2.9"],
      },
    };
    await using setup = mxSetup({ names, seed, peers: { "192.0.2.1": {}, "192.0.2.2": {} } });
    await setup.deliver("dest.example");
    assertEquals(setup.dialed[0], "192.0.2.9");
    first.add(setup.dialed[1] ?? "");
  }
  assertEquals([...first].sort(), ["192.0.2.1", "192.0.2.2"]);
});

Deno.test("an open session to any exchanger of the best preference is used again", async () => {
  const names: Names = {
    mx: { "dest.example": ["10 a.example", "10 b.example"], "other.example": ["10 b.example"] },
    addresses: { "a.example": ["192.0.2.1"], "b.example": ["192.0.2.2"] },
  };
  await using setup = mxSetup({ names, peers: { "192.0.2.1": {}, "192.0.2.2": {} } });
  await setup.deliver("other.example");
  for (let count = 0; count < 5; count++) await setup.deliver("dest.example");
  assertEquals(setup.dialed, ["192.0.2.2"]);
});

Deno.test("all addresses of an exchanger are tried, IPv4 first unless told otherwise", async () => {
  const names: Names = {
    mx: { "dest.example": ["10 a.example"] },
    addresses: { "a.example": ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"] },
  };
  const orders = [
    [undefined, ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"]],
    ["ipv6_first", ["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"]],
    ["ipv4_only", ["192.0.2.1", "192.0.2.2"]],
    ["ipv6_only", ["2001:db8::1", "2001:db8::2"]],
  ] as const;
  for (const [addressOrder, expected] of orders) {
    await using setup = mxSetup({
      names,
      ...(addressOrder === undefined ? {} : { addressOrder }),
    });
    const [words = ""] = inWords(await setup.deliver("dest.example"));
    assert(words.startsWith("broken 451 4.4.1 Cannot connect to a.example["), words);
    assertEquals(setup.dialed, expected);
  }
});

Deno.test("an attempt tries a bounded number of addresses", async () => {
  const names: Names = {
    mx: { "dest.example": ["10 a.example", "20 b.example"] },
    addresses: { "a.example": ["192.0.2.1", "192.0.2.2"], "b.example": ["192.0.2.3", "192.0.2.4"] },
  };
  await using setup = mxSetup({ names, maxAddresses: 3 });
  await setup.deliver("dest.example");
  assertEquals(setup.dialed, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
});

Deno.test("a domain without exchangers is its own", async () => {
  const names: Names = { addresses: { "dest.example": ["192.0.2.1"] } };
  await using setup = mxSetup({ names, peers: { "192.0.2.1": {} } });
  const report = await setup.deliver("dest.example");
  assertEquals(inWords(report), STORED);
  assertEquals(report.remote?.host, "dest.example");
});

Deno.test("address literals are dialed as they are", async () => {
  await using setup = mxSetup({
    names: {},
    peers: { "192.0.2.7": {}, "2001:db8::7": {} },
  });
  assertEquals(inWords(await setup.deliver("[192.0.2.7]")), STORED);
  assertEquals(inWords(await setup.deliver("[IPv6:2001:db8::7]")), STORED);
  assertEquals(setup.lookups, []);
  assertEquals(inWords(await setup.deliver("[300.0.2.7]")), [
    "permanent 550 5.1.2 Cannot use the address literal [300.0.2.7]",
  ]);
});

const NAMES: Names = {
  mx: {
    "null.example": ["0 ."],
    "servfail.example": null,
    "unknown-host.example": ["10 gone.example", "20 gone-too.example"],
    "unsure-host.example": ["10 servfail-host.example", "20 gone.example"],
    "only-us.example": ["10 relay.example", "20 backup.example"],
    "us-and-better.example": ["5 better.example", "10 RELAY.example", "10 equal.example"],
    "alias.example": ["10 us-too.example"],
    "no-host.example": [],
  },
  addresses: {
    "servfail-host.example": null,
    "servfail-domain.example": null,
    "better.example": ["192.0.2.1"],
    "equal.example": ["192.0.2.2"],
    "relay.example": ["192.0.2.3"],
  },
};

const UNROUTABLE: readonly [domain: string, outcome: string][] = [
  ["null.example", "permanent 556 5.1.10 Recipient domain does not accept mail (null MX)"],
  ["nowhere.example", "permanent 550 5.1.2 Domain nowhere.example does not exist"],
  ["no-host.example", "permanent 550 5.1.2 Domain no-host.example does not exist"],
  ["servfail.example", "temporary 451 4.4.3 Cannot look up servfail.example: server failure"],
  [
    "servfail-domain.example",
    "temporary 451 4.4.3 Cannot look up servfail-domain.example: server failure",
  ],
  [
    "unknown-host.example",
    "permanent 550 5.4.4 Mail exchanger gone.example has no address",
  ],
  [
    "unsure-host.example",
    "temporary 451 4.4.3 Cannot look up servfail-host.example: server failure",
  ],
  [
    "only-us.example",
    "permanent 550 5.4.6 Mail for the recipient domain loops back to this relay",
  ],
  ["alias.example", "permanent 550 5.4.6 Mail for the recipient domain loops back to this relay"],
  ["relay.example", "permanent 550 5.4.6 Mail for the recipient domain loops back to this relay"],
];

for (const [domain, outcome] of UNROUTABLE) {
  Deno.test(`${domain}: ${outcome}`, async () => {
    await using setup = mxSetup({ names: NAMES, ownNames: ["us-too.example"] });
    const report = await setup.deliver(domain);
    assertEquals(inWords(report), [outcome]);
    assertEquals([report.remote, setup.dialed.length], [null, 0]);
  });
}

Deno.test("only exchangers better than this relay are asked", async () => {
  await using setup = mxSetup({ names: NAMES });
  await setup.deliver("us-and-better.example");
  assertEquals(setup.dialed, ["192.0.2.1"]);
});

Deno.test("an exchanger that has the name of this relay gets no mail, and bounces none", async () => {
  const peers = {
    "192.0.2.1": { answers: { EHLO: "250-RELAY.example at your service\r\n250 SIZE" } },
    "192.0.2.2": { answers: { EHLO: "500 What?", HELO: "250 us-too.example" } },
    "192.0.2.3": {},
  };
  const names: Names = {
    mx: {
      "dest.example": ["10 one.example", "20 two.example"],
      "other.example": ["10 one.example", "20 three.example"],
    },
    addresses: {
      "one.example": ["192.0.2.1"],
      "two.example": ["192.0.2.2"],
      "three.example": ["192.0.2.3"],
    },
  };
  await using setup = mxSetup({ names, peers, ownNames: ["us-too.example"] });
  const [words = ""] = inWords(await setup.deliver("dest.example"));
  assert(words.startsWith("broken 451 4.4.6 two.example[192.0.2.2]:25 uses the HELO name"), words);
  assertEquals(setup.peerAt("192.0.2.1").lines, ["EHLO relay.example", "QUIT"]);
  assertEquals(inWords(await setup.deliver("other.example")), STORED);
});

for (const level of ["opportunistic", "verified"] as const) {
  Deno.test(`many domains of one dead exchanger do not crowd it (${level})`, async () => {
    const domains = Array.from({ length: 30 }, (_, index) => `d${index}.example`);
    const clock = new ManualClock();
    await using setup = mxSetup({
      clock,
      tls: { rule: { level } },
      names: {
        mx: Object.fromEntries(domains.map((domain) => [domain, ["10 dead.example"]])),
        addresses: { "dead.example": ["192.0.2.1"] },
      },
    });
    const tryAll = () => Promise.all(domains.map((domain) => setup.deliver(domain)));
    await setup.deliver("d0.example");
    await tryAll();
    assertEquals(setup.dialed.length, 1);
    await clock.advance(15_000);
    const reports = await tryAll();
    assertEquals(setup.dialed.length, 2);
    assertEquals(new Set(reports.flatMap(inWords).map((words) => words.slice(0, 16))).size, 1);
  });
}

Deno.test("an exchanger that is gone does not bounce mail while another is only down", async () => {
  const names: Names = {
    mx: { "dest.example": ["10 down.example", "20 gone.example"] },
    addresses: { "down.example": ["192.0.2.1"] },
  };
  await using setup = mxSetup({ names });
  const [words = ""] = inWords(await setup.deliver("dest.example"));
  assert(words.startsWith("broken 451 4.4.1 Cannot connect to down.example"), words);
});

Deno.test("an exchanger that is only down keeps mail while another is gone", async () => {
  const names: Names = {
    mx: { "dest.example": ["10 gone.example", "20 down.example"] },
    addresses: { "down.example": ["192.0.2.1"] },
  };
  await using setup = mxSetup({ names });
  const [words = ""] = inWords(await setup.deliver("dest.example"));
  assert(words.startsWith("broken 451 4.4.1 Cannot connect to down.example"), words);
});

Deno.test("own names are found in MX records however they are written", async () => {
  const names: Names = {
    mx: {
      "capitals.example": ["10 US-TOO.Example.", "20 b.example"],
      "helo.example": ["10 RELAY.EXAMPLE", "20 b.example"],
    },
    addresses: { "b.example": ["192.0.2.2"] },
  };
  for (const ownNames of [["us-too.example"], ["Us-Too.EXAMPLE"]]) {
    await using setup = mxSetup({ names, ownNames });
    for (const domain of ["capitals.example", "helo.example"]) {
      assertEquals(inWords(await setup.deliver(domain)), [
        "permanent 550 5.4.6 Mail for the recipient domain loops back to this relay",
      ]);
    }
    assertEquals(setup.dialed, []);
  }
});

Deno.test("a session without TLS is not used where a domain has to have it, nor the other way round", async () => {
  const names: Names = {
    mx: { "free.example": ["10 mx.example"], "strict.example": ["10 mx.example"] },
    addresses: { "mx.example": ["192.0.2.1"] },
  };
  const tls: TlsRules = {
    rule: { level: "opportunistic" },
    overrides: [{ domain: "strict.example", rule: { level: "required" } }],
  };
  const peers = { "192.0.2.1": { extensions: ["PIPELINING"] } };
  await using setup = mxSetup({ names, peers, tls });
  assertEquals(inWords(await setup.deliver("free.example")), STORED);
  const [words = ""] = inWords(await setup.deliver("strict.example"));
  assert(
    words.startsWith("broken 451 4.7.4 mx.example[192.0.2.1]:25 does not offer STARTTLS"),
    words,
  );
  assertEquals(inWords(await setup.deliver("free.example")), STORED);
  const { messages, sessions } = setup.peerAt("192.0.2.1");
  assertEquals([messages.length, sessions], [2, 2]);
});
