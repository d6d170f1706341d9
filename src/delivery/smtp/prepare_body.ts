import { encodeText } from "../../base/bytes.ts";
import { utf8InAddresses } from "../../mail/ascii_header.ts";
import {
  type ConversionObstacle,
  type ConversionTarget,
  planConversion,
} from "../../mail/conversion_plan.ts";
import { convert } from "../../mail/convert.ts";
import { type Reply, reply } from "../../mail/reply.ts";
import type { MailData } from "../../smtp/client/mail_data.ts";
import type { DeliveryJob, Loss, MessageBody } from "../transport.ts";
import { headerOctets } from "./header_octets.ts";
import type { Resigner } from "./options.ts";

/** A message in the form in which it goes to a server. */
export type PreparedBody =
  | {
    readonly kind: "ready";
    readonly data: MailData;
    /** For SIZE; about right where the octets were converted. */
    readonly sizeBytes: number;
    readonly losses: readonly Loss[];
  }
  /** It cannot be brought into that form; `reply` says why with a 5xx code. */
  | { readonly kind: "unsuitable"; readonly reply: Reply };

/** A message that goes as it is. */
export function bodyAsItIs(body: MessageBody, dotLines: number): MailData {
  return {
    sizeBytes: body.sizeBytes,
    dotLines,
    bytes: body.bytes,
    stream: () => body.stream({ reuse: true }),
  };
}

/** What a message meets on its way into another form. */
export interface PrepareOptions {
  readonly conversion: ConversionTarget | null;
  readonly needsAsciiAddresses: boolean;
  /** Nothing may be lost. */
  readonly rawOnly: boolean;
  /** Signs the new form; null where nobody does. */
  readonly resign: Resigner | null;
}

/** Brings a message into another form, or finds out that it has the right one. */
export async function prepareBody(
  { message, body }: Pick<DeliveryJob, "message" | "body">,
  { conversion, needsAsciiAddresses, ...options }: PrepareOptions,
): Promise<PreparedBody> {
  // RFC 6531 section 3.2; all else outside ASCII is taken wherever 8 bits are.
  const found = needsAsciiAddresses ? utf8InAddresses(await headerOctets(body)) : "nothing";
  if (found === "more") {
    const text = "Next hop does not accept non-ASCII addresses in header fields";
    return unsuitable(reply(554, "5.6.9", text));
  }
  if (found === "domains") conversion = "7bit"; // in which header sections are in ASCII
  if (conversion === null) {
    const { sizeBytes } = body;
    const data = bodyAsItIs(body, message.facts.dotLines);
    return { kind: "ready", data, sizeBytes, losses: [] };
  }
  return await convertBody({ message, body }, { conversion, ...options });
}

/** RFC 6376 section 5.3: what is signed is the form that leaves, so this relay signs it anew. */
async function convertBody(
  { message, body }: Pick<DeliveryJob, "message" | "body">,
  { conversion, rawOnly, resign }:
    & Pick<PrepareOptions, "rawOnly" | "resign">
    & { conversion: ConversionTarget },
): Promise<PreparedBody> {
  const { prefix = "" } = message;
  const unsigned = () => withoutStart(chunksOf(body), prefix.length);
  const plan = await planConversion(unsigned(), conversion);
  if (plan.kind === "impossible") {
    return unsuitable(reply(554, "5.6.3", OBSTACLE_TEXT[plan.reason])); // RFC 3463 3.7
  }
  const signed = prefix === "" ? "" : await resign?.(message, convert(unsigned(), plan)) ?? "";
  const isLost = plan.breaksSignature || (prefix !== "" && signed === "");
  const changed = plan.changed.map((what): Loss => ({ kind: "structure", what }));
  const losses: Loss[] = [...isLost ? [BROKEN_SIGNATURE] : [], ...changed];
  if (rawOnly && losses.length > 0) {
    const words = isLost ? "break the DKIM signature" : `change ${plan.changed.join(", ")}`;
    return unsuitable(reply(554, "5.6.3", `Conversion would ${words}`));
  }
  const data: MailData = {
    sizeBytes: null,
    dotLines: 1, // nobody has counted them in the new form
    bytes: null,
    stream: () => withStart(signed, convert(unsigned(), plan)),
  };
  return { kind: "ready", data, sizeBytes: signed.length + plan.sizeBytes, losses };
}

const BROKEN_SIGNATURE: Loss = { kind: "signature", what: "DKIM-Signature" };

const OBSTACLE_TEXT: Readonly<Record<ConversionObstacle, string>> = {
  sealed: "Next hop accepts 7 bits, but the message is signed or encrypted in 8",
  unencodable: "Next hop accepts 7 bits, but a part of 8 bits must not be encoded",
  lines: "Next hop accepts lines only, but the message has a bare CR, LF or NUL that MIME cannot " +
    "encode",
  malformed: "Next hop accepts 7 bits, but the message has 8 outside MIME parts",
  header: "Next hop accepts 7 bits, but the message has 8 in an address or an identifier",
  too_complex: "Next hop accepts 7 bits, but the message has too many parts to convert",
};

function chunksOf(body: MessageBody): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return body.bytes === null ? body.stream() : [body.bytes];
}

/** The octets behind the first `count`. */
async function* withoutStart(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  count: number,
): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of chunks) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}

async function* withStart(
  start: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (start !== "") yield encodeText(start);
  yield* chunks;
}

function unsuitable(reply: Reply): PreparedBody {
  return { kind: "unsuitable", reply };
}
