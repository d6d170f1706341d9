import { assert, assertEquals, assertMatch } from "@std/assert";
import { groupIntoJobs, type Way } from "../../src/delivery/job.ts";
import type { DeliveryJob, Transport } from "../../src/delivery/transport.ts";
import { ActiveWindow } from "../../src/delivery/window.ts";
import { ReturnAddresses } from "../../src/feedback/return_address.ts";
import { ReturnPathTransport } from "../../src/feedback/return_path_transport.ts";
import { sampleJob } from "../support/delivery_jobs.ts";

const LOCAL = {
  ...{
    listener: "local",
    clientAddress: "",
    clientPort: 0,
    helo: "",
    protocol: "LOCAL" as const,
  },
};
const OURS = /^b-01j00000000000aa-0-[0-9a-f]{8}-[0-9a-f]{20}@bounces\.test$/;

/** A transport for senders in `news.test`, and the reverse-paths that it saw. */
function bench() {
  const seen: string[] = [];
  const inner: Transport = {
    ...{
      name: "out",
      kind: "smarthost",
      maxConcurrency: 5,
      maxRecipients: 100,
    },
    destinationOf: (domain) => domain,
    deliver({ message, recipients }: DeliveryJob) {
      seen.push(message.reversePath);
      const outcome = {
        kind: "delivered",
        reply: { code: 250, lines: ["ok"] },
      } as const;
      return Promise.resolve({
        outcomes: recipients.map(() => outcome),
        remote: null,
        tls: null,
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const addresses = new ReturnAddresses({
    ...{
      domains: ["bounces.test"],
      key: "a key of some length",
      oldKey: null,
      lifetimeMs: 1,
    },
  });
  const fits = (reversePath: string): boolean => reversePath.endsWith("@news.test");
  const transport = new ReturnPathTransport(inner, { addresses, fits });
  const send = async (job: DeliveryJob): Promise<string> => {
    await transport.deliver(job, { signal: new AbortController().signal });
    return seen.at(-1) ?? "";
  };
  return { transport, send };
}

const NEWS = { reversePath: "letter@news.test" };

Deno.test("return path: mail leaves from an address that names it", async () => {
  const { send, transport } = bench();
  const job = sampleJob({ message: NEWS });
  assertMatch(await send(job), OURS);
  assertEquals(transport.maxRecipientsOf(job.message), 1);
});

const KEPT: Readonly<Record<string, DeliveryJob>> = {
  "of nobody": sampleJob({ message: { reversePath: "" } }),
  "of other senders": sampleJob({
    message: { reversePath: "ada@source.test" },
  }),
  "that the relay wrote": sampleJob({ message: { ...NEWS, origin: LOCAL } }),
  "that another mailbox gets": {
    ...sampleJob({ message: NEWS }),
    redirected: true,
  },
};

for (const [which, job] of Object.entries(KEPT)) {
  Deno.test(`return path: mail ${which} keeps its own`, async () => {
    assertEquals(await bench().send(job), job.message.reversePath);
  });
}

Deno.test("return path: recipients have attempts of their own only where it names them", () => {
  const { transport } = bench();
  const way: Way = {
    ...{
      kind: "open",
      name: "default",
      transports: [transport],
      rawOnly: false,
      redirect: null,
    },
  };
  const counts = [NEWS, { reversePath: "ada@source.test" }, { reversePath: "" }]
    .map((message) => {
      const recipients = ["a@dest.example", "b@dest.example", "c@dest.example"];
      const job = sampleJob({ message, recipients });
      const window = new ActiveWindow({
        recipients: 10,
        perDomain: 10,
        bodyBytes: 10,
      });
      const entry = window.enter({
        message: job.message,
        recipients: job.recipients,
      });
      const { jobs } = groupIntoJobs({ entry, recipients: job.recipients }, {
        route: () => way,
        rules: 0,
      });
      assert(jobs.every(({ domain }) => domain === "dest.example"));
      return jobs.map((one) => one.recipients.length);
    });
  assertEquals(counts, [[1, 1, 1], [3], [3]]);
});
