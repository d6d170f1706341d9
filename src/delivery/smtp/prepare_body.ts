import { isAscii } from "node:buffer";
import {
  type ConversionObstacle,
  type ConversionTarget,
  planConversion,
} from "../../mail/conversion_plan.ts";
import { convert } from "../../mail/convert.ts";
import { type Reply, reply } from "../../mail/reply.ts";
import type { MailData } from "../../smtp/client/mail_data.ts";
import type { Loss, MessageBody } from "../transport.ts";
import { headerOctets } from "./header_octets.ts";

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

/** Brings a message into another form, or finds out that it has the right one. */
export async function prepareBody(
  body: MessageBody,
  { conversion, needsAsciiHeader, rawOnly, dotLines }: {
    conversion: ConversionTarget | null;
    needsAsciiHeader: boolean;
    /** Nothing may be lost. */
    rawOnly: boolean;
    dotLines: number;
  },
): Promise<PreparedBody> {
  if (needsAsciiHeader && !isAscii(await headerOctets(body))) { // RFC 6531 section 3.2
    return unsuitable(reply(554, "5.6.9", "Next hop does not take header fields outside ASCII"));
  }
  if (conversion === null) {
    const { sizeBytes } = body;
    return { kind: "ready", data: bodyAsItIs(body, dotLines), sizeBytes, losses: [] };
  }
  return await convertBody(body, { conversion, rawOnly });
}

async function convertBody(
  body: MessageBody,
  { conversion, rawOnly }: { conversion: ConversionTarget; rawOnly: boolean },
): Promise<PreparedBody> {
  const plan = await planConversion(chunksOf(body), conversion);
  if (plan.kind === "impossible") {
    return unsuitable(reply(554, "5.6.3", OBSTACLE_TEXT[plan.reason])); // RFC 3463 3.7
  }
  const losses: Loss[] = plan.breaksSignature ? [BROKEN_SIGNATURE] : [];
  if (rawOnly && losses.length > 0) {
    return unsuitable(reply(554, "5.6.3", "Conversion would break the DKIM signature"));
  }
  const data: MailData = {
    sizeBytes: null,
    dotLines: 1, // nobody has counted them in the new form
    bytes: null,
    stream: () => convert(chunksOf(body), plan),
  };
  return { kind: "ready", data, sizeBytes: plan.sizeBytes, losses };
}

const BROKEN_SIGNATURE: Loss = { kind: "signature", what: "DKIM-Signature" };

const OBSTACLE_TEXT: Readonly<Record<ConversionObstacle, string>> = {
  sealed: "Next hop takes 7 bits, and the message is signed or encrypted in 8",
  unencodable: "Next hop takes 7 bits, and a part of 8 bits must not be encoded",
  malformed: "Next hop takes 7 bits, and the message has 8 where MIME has none",
  too_complex: "Next hop takes 7 bits, and the message has too many parts to convert",
};

function chunksOf(body: MessageBody): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return body.bytes === null ? body.stream() : [body.bytes];
}

function unsuitable(reply: Reply): PreparedBody {
  return { kind: "unsuitable", reply };
}
