import { type Context, Hono } from "hono";
import { z } from "zod";
import type { CompatCaller, CompatDesk, Handed, Letter } from "./desk.ts";
import { readJson } from "./json.ts";
import {
  readAttachment,
  readMailbox,
  readMailboxes,
  readRawEnvelope,
  RequestError,
  shownId,
} from "./reading.ts";
import { boundedBody, type CompatEnv, originOf, TOO_LARGE, unknownRequest } from "./request.ts";
import { isSignedWith, readClaim } from "./sigv4.ts";

const list = z.array(z.string()).nullish().transform((value) => value ?? []);
const content = z.object({ Data: z.string() });
const sendEmail = z.object({
  FromEmailAddress: z.string().nullish(),
  FeedbackForwardingEmailAddress: z.string().nullish(),
  Destination: z.object({ ToAddresses: list, CcAddresses: list, BccAddresses: list }).nullish(),
  ReplyToAddresses: list,
  Content: z.object({
    Raw: content.nullish(),
    Template: z.unknown().optional(),
    Simple: z.object({
      Subject: content,
      Body: z.object({ Text: content.nullish(), Html: content.nullish() }),
      Headers: z.array(z.object({ Name: z.string(), Value: z.string() })).nullish(),
      Attachments: z.array(z.object({
        RawContent: z.string(),
        FileName: z.string(),
        ContentType: z.string().nullish(),
        ContentDisposition: z.string().nullish(),
        ContentId: z.string().nullish(),
      })).nullish(),
    }).nullish(),
  }),
});
type SendEmail = z.output<typeof sendEmail>;

/**
 * Requests as Amazon SES v2 has them, signed with Signature Version 4: the access key is the name
 * of a token of the configuration, its secret the token. Source: botocore
 * `data/sesv2/2019-09-27/service-2.json`, operation SendEmail.
 */
export function sesRoutes(desk: CompatDesk) {
  return new Hono<CompatEnv>()
    .use(
      boundedBody(
        desk,
        (c) => error(c, { status: 400, shape: "MessageRejected", message: TOO_LARGE }),
      ),
    )
    .post("/v2/email/outbound-emails", (c) => serve(c, desk))
    .all(
      "*",
      (c) => error(c, { status: 404, shape: "NotFoundException", message: unknownRequest(c) }),
    );
}

async function serve(c: Context<CompatEnv>, desk: CompatDesk): Promise<Response> {
  const body = new Uint8Array(await c.req.arrayBuffer());
  const caller = callerOf(c, { desk, body });
  if (typeof caller === "string") {
    return error(c, { status: 403, shape: caller, message: CREDENTIAL_ERRORS[caller] });
  }
  try {
    const letter = letterOf(readJson(new TextDecoder().decode(body), sendEmail));
    return answerTo(c, await desk.handIn(caller, letter));
  } catch (cause) {
    if (!(cause instanceof RequestError)) throw cause;
    return error(c, { status: 400, shape: "BadRequestException", message: cause.message });
  }
}

/** Source: docs.aws.amazon.com, "Common error types" of the SES API v2. */
const CREDENTIAL_ERRORS = {
  InvalidSignatureException: "The signature does not match the request and the secret access key",
  MissingAuthenticationTokenException: "The request has no Signature Version 4",
  UnrecognizedClientException: "There is no token with the name of this access key",
} as const;

/** Who signed the request, or the error for one that nobody we know did. */
function callerOf(
  c: Context<CompatEnv>,
  { desk, body }: { desk: CompatDesk; body: Uint8Array },
): CompatCaller | keyof typeof CREDENTIAL_ERRORS {
  const origin = originOf(c);
  const { clientAddress } = origin;
  const claim = readClaim(c.req.header("authorization") ?? "");
  if (claim === null) return "MissingAuthenticationTokenException";
  if (desk.isBarred(clientAddress)) return "InvalidSignatureException";
  const known = desk.sharedSecret(claim.accessKeyId);
  const { method, url, headers } = c.req.raw;
  const request = { method, url: new URL(url), headers, body };
  // A key nobody knows takes as long as one that is wrong.
  const isGood = isSignedWith(known?.secret ?? "", { request, claim, nowMs: desk.clock.now() });
  if (known !== null && isGood) return { key: known.key, ...origin };
  desk.refuseCredentials(clientAddress);
  return known === null ? "UnrecognizedClientException" : "InvalidSignatureException";
}

function letterOf(request: SendEmail): Letter {
  const { Raw, Simple, Template } = request.Content;
  const forms = [Raw, Simple, Template].filter((form) => form !== null && form !== undefined);
  if (forms.length > 1) throw new RequestError("Content", "Content must be either Raw or Simple");
  if (Raw !== null && Raw !== undefined) return rawLetterOf(request, Raw.Data);
  if (Simple === null || Simple === undefined) {
    throw new RequestError("Content", "Content must be Raw or Simple; templates are not supported");
  }
  const from = readMailbox("FromEmailAddress", request.FromEmailAddress ?? "");
  const { to, cc, bcc } = destinationOf(request);
  return {
    from: request.FeedbackForwardingEmailAddress ?? from.address,
    to: [...to, ...cc, ...bcc].map(({ address }) => address),
    content: {
      ...{ from: [from], sender: null, to, cc, subject: Simple.Subject.Data },
      replyTo: request.ReplyToAddresses.flatMap((one) => readMailboxes("ReplyToAddresses", one)),
      text: Simple.Body.Text?.Data ?? null,
      html: Simple.Body.Html?.Data ?? null,
      headers: (Simple.Headers ?? []).map(({ Name, Value }) => [Name, Value] as const),
      attachments: (Simple.Attachments ?? []).map((file) =>
        readAttachment("Attachments", {
          ...{ filename: file.FileName, type: file.ContentType ?? "", content: file.RawContent },
          contentId: shownId(Simple.Body.Html?.Data ?? null, {
            isInline: file.ContentDisposition === "INLINE",
            ...{ id: file.ContentId, filename: file.FileName },
          }),
        })
      ),
    },
  };
}

/** Destination decides who gets a raw message; without one its fields do. */
function rawLetterOf(request: SendEmail, data: string): Letter {
  const { content: octets } = readAttachment("Content.Raw.Data", {
    ...{ filename: "", type: "", contentId: null, content: data },
  });
  const envelope = readRawEnvelope(octets);
  const { to, cc, bcc } = destinationOf(request);
  const named = [...to, ...cc, ...bcc].map(({ address }) => address);
  const author = request.FromEmailAddress ?? "";
  const from = author === "" ? envelope.from : readMailbox("FromEmailAddress", author).address;
  return {
    from: request.FeedbackForwardingEmailAddress ?? from,
    to: named.length > 0 ? named : envelope.to,
    content: envelope.octets,
  };
}

function destinationOf({ Destination }: SendEmail) {
  const read = (field: "ToAddresses" | "CcAddresses" | "BccAddresses") =>
    (Destination?.[field] ?? []).flatMap((one) => readMailboxes(field, one));
  return { to: read("ToAddresses"), cc: read("CcAddresses"), bcc: read("BccAddresses") };
}

function answerTo(c: Context, handed: Handed): Response {
  if (handed.kind === "queued") return c.json({ MessageId: handed.id });
  const message = handed.text;
  if (handed.why === "later") {
    return error(c, { status: 503, shape: "ServiceUnavailable", message });
  }
  const shape = handed.why === "conflict" ? "ConflictException" : "MessageRejected";
  return error(c, { status: 400, shape, message });
}

function error(
  c: Context,
  { status, shape, message }: { status: 400 | 403 | 404 | 503; shape: string; message: string },
): Response {
  return c.json({ message }, status, { "x-amzn-errortype": shape });
}
