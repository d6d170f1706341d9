import { concatBytes, encodeText } from "../../base/bytes.ts";
import { utf8InAddresses } from "../../mail/ascii_header.ts";
import { planConversion } from "../../mail/conversion_plan.ts";
import { convert } from "../../mail/convert.ts";
import {
  HEADER_SECTION_LIMIT_BYTES,
  type HeaderSection,
  headerSection,
} from "../../mail/headers.ts";
import type { Reply } from "../../mail/reply.ts";
import { isAsciiText } from "../../mail/safe_text.ts";
import type { DeliveryJob, Loss } from "../../delivery/transport.ts";
import { jsonTextBody, type RequestBody } from "./body.ts";
import { replyOf } from "./outcome.ts";
import type { JobRecipient } from "./provider.ts";

/**
 * Why an API cannot take the message of a job in any form; null when it can.
 *
 * @param maxBytes the largest message in octets, before any encoding.
 */
export function carryProblem(
  { recipients, body }: DeliveryJob,
  { api, maxBytes }: { api: string; maxBytes: number },
): Reply | null {
  if (body.sizeBytes > maxBytes) {
    return replyOf(
      "5.3.4",
      `${api} accepts ${maxBytes} octets, this message has ${body.sizeBytes}`,
    );
  }
  const isInternational = recipients.some(({ forwardPath }) =>
    !isAsciiText(localPartOf(forwardPath))
  );
  return isInternational ? notInternational(api) : null;
}

/** As `carryProblem`, for an API that is given the octets as they are. */
export function rawProblem(
  job: DeliveryJob,
  { api, maxBytes }: { api: string; maxBytes: number },
): Reply | null | Promise<Reply | null> {
  const problem = carryProblem(job, { api, maxBytes });
  if (problem !== null) return problem;
  const { smtpUtf8, facts, reversePath } = job.message;
  // RFC 3030 3: binary content goes only where BINARYMIME is offered; X.6.3 is conversion required.
  if (!facts.lineOriented) return replyOf("5.6.3", `${api} accepts no binary content`);
  if (!isAsciiText(localPartOf(reversePath))) return notInternational(api);
  if (!smtpUtf8 || !facts.eightBit) return null;
  // RFC 6531 3.2: UTF-8 addresses may only go where they are known to be understood. Many clients
  // say SMTPUTF8 of every message, so the fields themselves decide.
  return headOf(job).then(({ octets, section }) =>
    utf8InAddresses(octets.subarray(0, section.endOffset)) === "nothing"
      ? null
      : notInternational(api)
  );
}

/** A message as text for an API that is given its octets as that. */
export type RawText =
  | { readonly kind: "text"; readonly text: RequestBody; readonly losses: readonly Loss[] }
  | { readonly kind: "unsuitable"; readonly reply: Reply };

/**
 * The message of a job as the inside of a JSON string, for an API that is given its octets as
 * text. Octets that are no UTF-8 cannot be text: such a message is encoded for seven bits, which
 * keeps what it says, and costs a signature of its octets.
 */
export async function rawTextOf(
  job: DeliveryJob,
  limits: { api: string; maxBytes: number },
): Promise<RawText> {
  const problem = await rawProblem(job, limits);
  if (problem !== null) return { kind: "unsuitable", reply: problem };
  const text = await jsonTextBody(job.body);
  if (text !== null) return { kind: "text", text, losses: [] };
  return await sevenBitText(job) ??
    // RFC 3463 X.6.3: conversion required but not supported
    { kind: "unsuitable", reply: replyOf("5.6.3", `${limits.api} takes UTF-8 only`) };
}

/** The message encoded for seven bits, without a signature of this relay; null where none is. */
async function sevenBitText({ body, message }: DeliveryJob): Promise<RawText | null> {
  const from = encodeText(message.prefix ?? "").length;
  const plan = await planConversion(body.stream({ from }), "7bit");
  if (plan.kind === "impossible") return null;
  const text = await jsonTextBody({ stream: () => convert(body.stream({ from }), plan) });
  if (text === null) return null;
  const losses = plan.changed.map((what): Loss => ({ kind: "structure", what }));
  if (plan.breaksSignature || from > 0) losses.push({ kind: "signature", what: "DKIM-Signature" });
  return { kind: "text", text, losses };
}

/** The header section of a message. */
export interface Head {
  /** The message up to the end of the last field, at least. */
  readonly octets: Uint8Array;
  readonly section: HeaderSection;
}

/** Reads the header section of a message, and no more than that of one that is streamed. */
export async function headOf({ body }: DeliveryJob): Promise<Head> {
  if (body.bytes !== null) return { octets: body.bytes, section: headerSection(body.bytes) };
  let head: Head = { octets: new Uint8Array(0), section: headerSection(new Uint8Array(0)) };
  for await (const chunk of body.stream()) {
    const octets = concatBytes([head.octets, chunk]);
    head = { octets, section: headerSection(octets) };
    // An empty line is needed behind a section that seems complete: the chunk may end in a field.
    if (head.section.bodyOffset > head.section.endOffset) break;
    if (octets.length >= HEADER_SECTION_LIMIT_BYTES) break;
  }
  return head;
}

function notInternational(api: string): Reply {
  return replyOf("5.6.7", `${api} accepts no internationalized mail`);
}

/** A recipient's mailbox with its domain in ASCII. */
export function apiAddress({ forwardPath, domain }: JobRecipient): string {
  if (isAsciiText(forwardPath)) return forwardPath;
  return `${localPartOf(forwardPath)}@${domain}`;
}

function localPartOf(address: string): string {
  return address.slice(0, address.lastIndexOf("@"));
}
