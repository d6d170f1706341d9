import { assert, assertEquals } from "@std/assert";
import { LmtpTransport } from "../../src/delivery/lmtp.ts";
import { SmarthostTransport } from "../../src/delivery/smarthost.ts";
import type { DeliveryReport } from "../../src/delivery/transport.ts";
import { formatReply } from "../../src/mail/reply.ts";
import { testAuthority } from "../support/certificates.ts";
import { type Cut, startCuttingLink } from "../support/cutting_link.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { type Script, startScriptedPeer } from "../support/scripted_peer.ts";
import { smtpServices } from "../support/smtp_services.ts";

const RECIPIENTS = ["a@dest.example", "b@dest.example"];
const certificate = testAuthority().issue({ names: ["localhost"] });

interface Manner {
  readonly name: string;
  readonly script: Script;
  /** The last that the client hears before the message may be on its way. */
  readonly before: string;
  /** Octets from one place that is cut to the next. */
  readonly step?: number;
}

const MANNERS: readonly Manner[] = [
  { name: "DATA, pipelined", script: { extensions: ["PIPELINING"] }, before: "354" },
  { name: "DATA, in lock-step", script: { extensions: [] }, before: "354" },
  {
    name: "BDAT, in one write with its commands",
    script: { extensions: ["PIPELINING", "CHUNKING"] },
    before: "250 CHUNKING\r\n",
  },
  {
    name: "BDAT, in lock-step",
    script: { extensions: ["CHUNKING"] },
    before: "250 2.0.0 OK\r\n250 2.0.0 OK\r\n250 2.0.0 OK\r\n",
  },
  { name: "LMTP", script: { extensions: ["PIPELINING"], lmtp: true }, before: "354" },
  {
    name: "LMTP by BDAT",
    script: { extensions: ["PIPELINING", "CHUNKING"], lmtp: true },
    before: "250 CHUNKING\r\n",
  },
  {
    name: "STARTTLS",
    script: { extensions: ["PIPELINING", "STARTTLS"], tls: { certificates: [certificate] } },
    before: "",
    step: 61,
  },
];

/** What one attempt came to over a link that breaks. */
interface Trial {
  readonly report: DeliveryReport;
  /** Whether the server has the message. */
  readonly isStored: boolean;
  readonly toServer: string;
  readonly toClient: string;
}

async function attempt({ script }: Manner, cut: Cut): Promise<Trial> {
  await using peer = startScriptedPeer(script);
  await using link = startCuttingLink(peer.port, cut);
  const hosts = [{ host: "127.0.0.1", port: link.port }];
  const report = await deliver(hosts, { isLmtp: script.lmtp === true });
  await peer.idle();
  const isStored = peer.messages.length > 0;
  return { report, isStored, toServer: link.toServer, toClient: link.toClient };
}

async function deliver(
  hosts: readonly { readonly host: string; readonly port: number }[],
  { isLmtp }: { isLmtp: boolean },
): Promise<DeliveryReport> {
  using services = smtpServices();
  const options = { name: "out", heloName: "relay.example", services };
  await using transport = isLmtp
    ? new LmtpTransport({ ...options, servers: hosts })
    : new SmarthostTransport({ ...options, hosts });
  const { signal } = new AbortController();
  return await transport.deliver(sampleJob({ recipients: RECIPIENTS }), { signal });
}

/** Where in what the server says the codes of the recipients' acceptance end. */
function acceptedAt({ toClient, report }: Trial): number[] {
  const ends = [...toClient.matchAll(/250(?= 2\.0\.0 Stored\r\n)/g)]
    .map(({ index, 0: code }) => index + code.length);
  return report.outcomes.map((_, index) => ends[index] ?? ends.at(-1) ?? Infinity);
}

function judge(trial: Trial, { uncut, manner, where }: {
  uncut: Trial;
  manner: Manner;
  where: string;
}): void {
  const heardBytes = trial.toClient.length;
  const accepted = acceptedAt(uncut);
  const isPlain = manner.before !== "";
  const began = trial.toClient.includes(manner.before);
  for (const [index, { kind, reply }] of trial.report.outcomes.entries()) {
    const text = `${where}, recipient ${index}: ${kind} ${formatReply(reply)}`;
    assert(kind !== "permanent" && kind !== "unsuitable", text);
    if (kind === "delivered") assert(trial.isStored, text);
    if (kind === "delivered" && isPlain) assert(heardBytes >= (accepted[index] ?? 0), text);
    if (kind !== "delivered" && trial.isStored) assertEquals(kind, "uncertain", text);
    if (kind === "uncertain") assert(began, text);
  }
}

for (const manner of MANNERS) {
  Deno.test(`wherever the connection is cut, the outcome is not wrong: ${manner.name}`, async () => {
    const uncut = await attempt(manner, {});
    assertEquals(uncut.report.outcomes.map(({ kind }) => kind), ["delivered", "delivered"]);
    for (const direction of ["toServer", "toClient"] as const) {
      const limit = uncut[direction].length;
      for (let bytes = 0; bytes < limit; bytes += manner.step ?? 1) {
        const trial = await attempt(manner, { [`${direction}Bytes`]: bytes });
        judge(trial, { uncut, manner, where: `${bytes} octets ${direction}` });
      }
    }
  });
}
