import { tempFolder } from "../../support/peers.ts";
import { startRelay } from "../../support/relay_process.ts";
import { BENCH_DOMAIN, type Contender, SELECTOR, type Setup } from "../contender.ts";

/** The relay with its defaults, durability above all. */
export const posthouse: Contender = {
  name: "posthouse",
  messages: 20_000,
  idleSessions: 5000,
  can: () => true,
  start: async (setup) => {
    const folder = await tempFolder();
    if (setup.signing !== undefined) {
      await Deno.writeTextFile(`${folder.path}/dkim.pem`, setup.signing.pem);
    }
    const relay = await startRelay({
      folder: folder.path,
      listener: "max_connections = 10000\nmax_connections_per_address = 10000",
      settings: settingsFor(setup, folder.path),
      logToFile: true,
      ownSession: true, // the kernel shares the processors among sessions, and Postfix has its own
    });
    return {
      port: relay.port,
      pids: [relay.pid],
      [Symbol.asyncDispose]: async () => {
        await relay[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  },
};

/** Postfix asks for MX and A records here, and so shall this. */
const AS_POSTFIX_ASKS = [`address_order = "ipv4_only"`, `dane = false`, `mta_sts = false`];

function settingsFor({ nextHopPort, tls, signing, dnsAddress }: Setup, folder: string): string {
  const transport = dnsAddress === undefined
    ? [`type = "smarthost"`, `hosts = ["127.0.0.1:${nextHopPort}"]`]
    : [`type = "mx"`, `port = ${nextHopPort}`, ...AS_POSTFIX_ASKS];
  return [
    `[limits]`,
    `message_size = "200MiB"`,
    `[transports.out]`,
    ...transport,
    ...tls === true ? [`tls = "required"`] : [],
    ...dnsAddress === undefined ? [] : [`[dns]`, `servers = ["${dnsAddress}"]`],
    ...signing === undefined ? [] : [
      `[[dkim]]`,
      `domain = "${BENCH_DOMAIN}"`,
      `selector = "${SELECTOR}"`,
      `key = { file = "${folder}/dkim.pem" }`,
    ],
  ].join("\n");
}
