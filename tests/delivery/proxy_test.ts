import { assertEquals } from "@std/assert";
import { MxTransport } from "../../src/delivery/mx.ts";
import { SmarthostTransport } from "../../src/delivery/smarthost.ts";
import type { TransportProxy } from "../../src/delivery/smtp/dialer.ts";
import type { SmtpTransportOptions } from "../../src/delivery/smtp/options.ts";
import type { DeliveryReport } from "../../src/delivery/transport.ts";
import { testAuthority } from "../support/certificates.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { freePort } from "../support/peers.ts";
import { type Script, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords } from "../support/smarthost_setup.ts";
import { type Names, smtpServices } from "../support/smtp_services.ts";
import { startSocksProxy } from "../support/socks_proxy.ts";

const STORED = ["delivered 250 2.0.0 Stored"];
const NEVER = new AbortController().signal;

/** What one message came to that went through a proxy which knows `192.0.2.1` and its name. */
async function through(
  { names = {}, proxy = {}, script = {}, ...options }:
    & Omit<Partial<SmtpTransportOptions>, "proxy">
    & {
      readonly names?: Names;
      readonly script?: Script;
      readonly proxy?: Partial<TransportProxy>;
    },
  make: (options: SmtpTransportOptions) => MxTransport | SmarthostTransport = (options) =>
    new MxTransport(options),
): Promise<{ asked: readonly string[]; lookups: readonly string[]; report: DeliveryReport }> {
  await using peer = startScriptedPeer(script);
  await using socks = startSocksProxy({
    "192.0.2.1:25": peer.port,
    "mx.dest.example:25": peer.port,
    "dest.example:25": peer.port,
  });
  using services = smtpServices({ names });
  await using transport = make({
    name: "out",
    heloName: "relay.example",
    services,
    proxy: { kind: "socks5", host: "127.0.0.1", port: socks.port, resolves: false, ...proxy },
    ...options,
  });
  const report = await transport.deliver(sampleJob(), { signal: NEVER });
  const lookups = services.lookups.filter((name) => !name.endsWith("127.0.0.1"));
  return { asked: [...socks.asked], lookups, report };
}

const LOCAL = { "127.0.0.1": ["127.0.0.1"], "proxy.example": ["127.0.0.1"] };
const NAMES: Names = {
  mx: { "dest.example": ["10 mx.dest.example"] },
  addresses: { ...LOCAL, "mx.dest.example": ["192.0.2.9", "192.0.2.1"] },
};

Deno.test("a proxy connects to each address, and the report names it", async () => {
  const { asked, report } = await through({ names: NAMES, proxy: { host: "proxy.example" } });
  assertEquals(inWords(report), STORED);
  assertEquals(asked, ["192.0.2.9:25", "192.0.2.1:25"]);
  const via = `socks5://proxy.example:${report.remote?.via?.split(":").at(-1)}`;
  assertEquals(report.remote, { host: "mx.dest.example", address: "192.0.2.1", port: 25, via });
});

Deno.test("a proxy may look up exchangers itself", async () => {
  const names = { ...NAMES, addresses: LOCAL };
  const { asked, lookups, report } = await through({ names, proxy: { resolves: true } });
  assertEquals(inWords(report), STORED);
  assertEquals(asked, ["mx.dest.example:25"]);
  assertEquals(lookups, ["MX dest.example"]);
  assertEquals(report.remote?.address, "mx.dest.example");
});

Deno.test("a proxy may look up a domain that is its own exchanger", async () => {
  const names: Names = { mx: { "dest.example": [] }, addresses: LOCAL };
  const { asked, report } = await through({ names, proxy: { resolves: true } });
  assertEquals(inWords(report), STORED);
  assertEquals(asked, ["dest.example:25"]);
});

Deno.test("TLS goes through a proxy to the server behind it", async () => {
  const authority = testAuthority();
  const { report } = await through({
    names: NAMES,
    tls: { rule: { level: "verified" }, settings: { ca: [authority.certificate] } },
    script: {
      extensions: ["STARTTLS"],
      tls: { certificates: [authority.issue({ names: ["mx.dest.example"] })] },
    },
  });
  assertEquals(inWords(report), STORED);
  assertEquals(report.proof, "chain");
});

Deno.test("a host that the proxy does not reach is one that does not answer", async () => {
  const names = { ...NAMES, addresses: { ...LOCAL, "mx.dest.example": ["192.0.2.9"] } };
  const { report } = await through({ names });
  assertEquals(scopes(report), ["destination"]);
  const [words = ""] = inWords(report);
  assertEquals(
    words.replace(/:\d+: /, ": "),
    "broken 451 4.4.1 Cannot connect to mx.dest.example[192.0.2.9]:25 through " +
      "socks5://127.0.0.1: the proxy answered host unreachable (code 4)",
  );
});

Deno.test("a proxy that is gone breaks the transport and not the destination", async () => {
  const gone = await through({ names: NAMES, proxy: { port: freePort() } });
  assertEquals(scopes(gone.report), ["transport"]);
  const unknown = await through({ names: NAMES, proxy: { host: "nowhere.example" } });
  assertEquals(scopes(unknown.report), ["transport"]);
});

Deno.test("a proxy is reached from the source address", async () => {
  const { report } = await through({ names: NAMES, localAddresses: ["127.0.0.2"] });
  assertEquals(inWords(report), STORED);
  const missing = await through({ names: NAMES, localAddresses: ["192.0.2.200"] });
  assertEquals(scopes(missing.report), ["transport"]);
});

Deno.test("a smarthost that is a name goes to the proxy by its name", async () => {
  const { asked, lookups, report } = await through(
    { names: { addresses: LOCAL }, proxy: { resolves: true } },
    (options) =>
      new SmarthostTransport({ ...options, hosts: [{ host: "mx.dest.example", port: 25 }] }),
  );
  assertEquals(inWords(report), STORED);
  assertEquals([asked, lookups], [["mx.dest.example:25"], []]);
});

function scopes({ outcomes }: DeliveryReport): string[] {
  return outcomes.map((outcome) => outcome.kind === "broken" ? outcome.scope : outcome.kind);
}

Deno.test("the next address of a proxy stands in for one where nobody is", async () => {
  const names: Names = {
    ...NAMES,
    addresses: { ...NAMES.addresses, "proxy.example": ["127.0.0.2", "::1", "127.0.0.1"] },
  };
  const { asked, report } = await through({ names, proxy: { host: "proxy.example" } });
  assertEquals(inWords(report), STORED);
  assertEquals(asked, ["192.0.2.9:25", "192.0.2.1:25"]);
});

Deno.test("what a proxy says of a server is not asked of its next address", async () => {
  const names: Names = {
    ...NAMES,
    addresses: { "proxy.example": ["127.0.0.1", "127.0.0.1"], "mx.dest.example": ["192.0.2.9"] },
  };
  const { asked } = await through({ names, proxy: { host: "proxy.example" } });
  assertEquals(asked, ["192.0.2.9:25"]);
});
