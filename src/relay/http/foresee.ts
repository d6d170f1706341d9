import type { Reply } from "../../mail/reply.ts";
import type { DeliveryJob, Loss } from "../../delivery/transport.ts";
import { rawProblem, rawTextOf } from "./carry.ts";
import { type ConversionLimits, convertJob } from "./conversion.ts";
import { addressedMessage } from "./envelope_headers.ts";
import { replyOf } from "./outcome.ts";

/** How an API would carry a message; nothing is sent to find it out. */
export type Foreseen =
  | { readonly kind: "carried"; readonly losses: readonly Loss[] }
  /** The API cannot take it. */
  | { readonly kind: "unsuitable"; readonly reply: Reply };

/**
 * Tells how an API would carry the message of a job. `format` is that of the transport, where its
 * kind has several (webhooks).
 */
export type Foresee = (job: DeliveryJob, format?: string) => Promise<Foreseen>;

interface RawLimits {
  readonly api: string;
  readonly maxBytes: number;
}

/** For an API that is given the octets; `problem` says why it cannot take a message. */
export function foreseeRaw(
  problem: (job: DeliveryJob) => Reply | null | Promise<Reply | null>,
): Foresee {
  return async (job) => {
    const reply = await problem(job);
    return reply === null ? { kind: "carried", losses: [] } : { kind: "unsuitable", reply };
  };
}

/** For an API that is given the octets as text. */
export function foreseeText(limits: RawLimits): Foresee {
  return async (job) => {
    const raw = await rawTextOf(job, limits);
    return raw.kind === "unsuitable" ? raw : { kind: "carried", losses: raw.losses };
  };
}

/** For an API that sends to whom the fields name. */
export function foreseeAddressed(limits: RawLimits): Foresee {
  return async (job) => {
    const problem = await rawProblem(job, limits);
    if (problem !== null) return { kind: "unsuitable", reply: problem };
    const message = await addressedMessage(job);
    if (message.kind === "addressed") return { kind: "carried", losses: message.losses };
    return { kind: "unsuitable", reply: replyOf("5.6.0", "The header section is too long") };
  };
}

/** For an API that wants fields. */
export function foreseeConverted(limits: ConversionLimits): Foresee {
  return async (job) => {
    const message = await convertJob(job, limits);
    return message.kind === "unsuitable" ? message : { kind: "carried", losses: message.losses };
  };
}
