import { assertEquals } from "@std/assert";
import { MxTransport } from "../../src/delivery/mx.ts";
import { SmarthostTransport } from "../../src/delivery/smarthost.ts";
import { dial } from "../../src/net/dial.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords } from "../support/smarthost_setup.ts";
import { type Names, smtpServices } from "../support/smtp_services.ts";

const STORED = ["delivered 250 2.0.0 Stored"];
const NEVER = new AbortController().signal;

/** From which addresses an exchanger of both kinds was tried, and what came of it. */
async function from(localAddresses: readonly string[], addresses = ["2001:db8::1", "192.0.2.1"]) {
  await using peer = startScriptedPeer();
  const names: Names = {
    mx: { "dest.example": ["10 mx.dest.example"] },
    addresses: { "mx.dest.example": addresses },
  };
  const dialed: string[] = [];
  using services = smtpServices({
    names,
    dialer: (target, options) => {
      if ("path" in target) throw new TypeError("no sockets by path here");
      dialed.push(`${target.localAddress} ${target.address}`);
      return dial({ address: "127.0.0.1", port: peer.port }, options);
    },
  });
  await using transport = new MxTransport({
    ...{ name: "out", heloName: "relay.example", services, localAddresses },
  });
  const report = await transport.deliver(sampleJob(), { signal: NEVER });
  return { dialed, words: inWords(report) };
}

Deno.test("servers are reached by the kinds of address that there is a source of", async () => {
  assertEquals(await from(["192.0.2.7"]), { dialed: ["192.0.2.7 192.0.2.1"], words: STORED });
  assertEquals(await from(["2001:db8::7"]), {
    dialed: ["2001:db8::7 2001:db8::1"],
    words: STORED,
  });
  assertEquals(await from(["2001:db8::7", "192.0.2.7"]), {
    dialed: ["192.0.2.7 192.0.2.1"],
    words: STORED,
  });
});

Deno.test("a server of the other kind alone is not reached, and nothing else suffers", async () => {
  assertEquals(await from(["192.0.2.7"], ["2001:db8::1"]), {
    dialed: [],
    words: ["broken 451 4.4.4 mx.dest.example has no address of the kind in use"],
  });
});

/** Whether this machine has the address. */
function has(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

for (const [hostname, source] of [["127.0.0.1", "127.0.0.9"], ["::1", "::1"]] as const) {
  Deno.test({
    name: `connections come from ${source} (needs ${hostname})`,
    ignore: !has(hostname),
    async fn() {
      using listener = Deno.listen({ hostname, port: 0 });
      const { port } = listener.addr;
      const accepted = listener.accept();
      using services = smtpServices();
      await using transport = new SmarthostTransport({
        ...{ name: "out", heloName: "relay.example", services, localAddresses: [source] },
        hosts: [{ host: hostname, port }],
      });
      const giveUp = new AbortController();
      const delivering = transport.deliver(sampleJob(), { signal: giveUp.signal });
      using conn = await accepted;
      assertEquals(conn.remoteAddr.hostname, source);
      giveUp.abort();
      await delivering;
    },
  });
}

Deno.test("a server given by an address of the other kind is out of reach", async () => {
  using services = smtpServices();
  await using transport = new SmarthostTransport({
    ...{ name: "out", heloName: "relay.example", services, localAddresses: ["::1"] },
    hosts: [{ host: "127.0.0.1", port: 25 }],
  });
  const report = await transport.deliver(sampleJob(), { signal: NEVER });
  assertEquals(inWords(report), [
    "broken 451 4.4.1 Cannot connect to [127.0.0.1]:25: host unreachable",
  ]);
});

Deno.test("a source that is not there keeps from hosts of its kind alone while there is another", async () => {
  const scopeWith = async (localAddresses: readonly string[]) => {
    using services = smtpServices({
      dialer: () => Promise.resolve({ kind: "local_address", reason: "EADDRNOTAVAIL" }),
    });
    await using transport = new SmarthostTransport({
      ...{ name: "out", heloName: "relay.example", services, localAddresses },
      hosts: [{ host: "192.0.2.1", port: 25 }],
    });
    const { outcomes: [outcome] } = await transport.deliver(sampleJob(), { signal: NEVER });
    return outcome?.kind === "broken" ? outcome.scope : null;
  };
  assertEquals(await scopeWith(["192.0.2.7"]), "transport");
  assertEquals(await scopeWith(["192.0.2.7", "2001:db8::7"]), "destination");
});
