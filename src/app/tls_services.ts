import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Config } from "../config/schema.ts";
import { JsonFile } from "../delivery/tls/json_file.ts";
import type { TlsOutcomeSink } from "../delivery/tls/outcome.ts";
import { TlsReportSender } from "../delivery/tls/report_sender.ts";
import { MtaSts } from "../delivery/tls/sts.ts";
import type { FetchPolicyFile } from "../delivery/tls/sts_fetch.ts";
import { bodyFacts } from "../mail/body_facts.ts";
import type { Resolver } from "../net/resolver.ts";
import type { Intake } from "../queue/intake.ts";
import type { Shelf } from "../queue/shelf.ts";

/** What following and reporting the TLS policies of domains takes. */
export interface TlsServicesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolver: Resolver;
  /** Where policies are kept. */
  readonly shelf: Shelf;
  readonly fetch: FetchPolicyFile;
  readonly newId: () => string;
  /** Where reports are queued; asked for when there is one. */
  readonly intake: () => Intake;
  readonly onError: (error: unknown) => void;
}

/** What is known of the TLS policies of domains, and of how connections kept to them. */
export class TlsServices implements AsyncDisposable {
  readonly sts: MtaSts;
  readonly #reports: TlsReportSender | null;

  constructor(config: Config, options: TlsServicesOptions) {
    const fileOf = (name: string): JsonFile | null =>
      config.queue.store === "memory" ? null : new JsonFile(`${config.dataDir}/${name}`);
    this.sts = new MtaSts(options);
    const { tlsReports: { send, from, organization }, hostname } = config;
    this.#reports = !send ? null : new TlsReportSender({
      ...options,
      file: fileOf("tls_reports.json"),
      reporter: {
        organization: organization ?? hostname,
        submitter: hostname,
        from: from ?? `postmaster@${hostname}`,
      },
      queue: (mail) => queueReport(mail, options.intake()),
    });
  }

  /** Hears what connections came to; absent where no report is made. */
  get outcomes(): { readonly onTlsOutcome?: TlsOutcomeSink } {
    const reports = this.#reports;
    return reports === null ? {} : { onTlsOutcome: (outcome) => reports.record(outcome) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reports?.[Symbol.asyncDispose]();
    await this.sts[Symbol.asyncDispose]();
  }
}

async function queueReport(
  { from, to, octets }: { from: string; to: string; octets: Uint8Array },
  intake: Intake,
): Promise<boolean> {
  const writer = intake.begin({
    envelope: {
      reversePath: from,
      body: "7BIT",
      smtpUtf8: false,
      recipients: [{ forwardPath: to, domain: to.slice(to.lastIndexOf("@") + 1).toLowerCase() }],
    },
    origin: { listener: "local", clientAddress: "", clientPort: 0, helo: "", protocol: "LOCAL" },
    head: () => new Uint8Array(0),
  });
  await writer.write(octets);
  return (await writer.commit(bodyFacts(octets))).kind === "stored";
}
