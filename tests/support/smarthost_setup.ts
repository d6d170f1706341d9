import { type SmarthostOptions, SmarthostTransport } from "../../src/delivery/smarthost.ts";
import type { DeliveryJob, DeliveryReport, Outcome } from "../../src/delivery/transport.ts";
import { formatReply } from "../../src/mail/reply.ts";
import { type Script, type ScriptedPeer, startScriptedPeer } from "./scripted_peer.ts";
import { smtpServices, type TestServices } from "./smtp_services.ts";

/** A smarthost transport and the peer it talks to. */
export interface SmarthostSetup extends AsyncDisposable {
  readonly peer: ScriptedPeer;
  readonly transport: SmarthostTransport;
  deliver(job: DeliveryJob, signal?: AbortSignal): Promise<DeliveryReport>;
}

const NEVER = new AbortController().signal;

/** Starts a peer that follows `script` and a transport that sends to it. */
export function smarthostSetup(
  script: Script = {},
  options: Partial<SmarthostOptions> & { readonly services?: TestServices } = {},
): SmarthostSetup {
  const peer = startScriptedPeer(script);
  const own = options.services === undefined ? smtpServices() : null;
  const transport = new SmarthostTransport({
    name: "test",
    heloName: "relay.example",
    hosts: [{ host: "127.0.0.1", port: peer.port }],
    ...options,
    services: options.services ?? own as TestServices,
  });
  return {
    peer,
    transport,
    deliver: (job, signal = NEVER) => transport.deliver(job, { signal }),
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      await peer[Symbol.asyncDispose]();
      own?.[Symbol.dispose]();
    },
  };
}

/** Outcomes as `kind code enhanced text`, one a line of a table. */
export function inWords({ outcomes }: DeliveryReport): string[] {
  return outcomes.map((outcome) => `${outcome.kind} ${formatReply(outcome.reply)}`);
}

/** The outcome of the only recipient. */
export function soleOutcome({ outcomes }: DeliveryReport): Outcome {
  const [outcome] = outcomes;
  if (outcome === undefined || outcomes.length > 1) throw new Error("not one outcome");
  return outcome;
}
