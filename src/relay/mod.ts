import type { z } from "zod";
import type { Transport } from "../delivery/transport.ts";
import { createBrevo, LIMITS as brevo } from "./brevo/transport.ts";
import { createCloudflare, foresee as cloudflare } from "./cloudflare/transport.ts";
import { createGmail, LIMITS as gmail } from "./gmail/transport.ts";
import { createGraph, LIMITS as graph } from "./graph/transport.ts";
import { rawProblem } from "./http/carry.ts";
import type { ConversionLimits } from "./http/conversion.ts";
import {
  type Foresee,
  foreseeAddressed,
  foreseeConverted,
  foreseeRaw,
  foreseeText,
} from "./http/foresee.ts";
import type { ProviderOptions } from "./http/provider.ts";
import { createMailchannels, LIMITS as mailchannels } from "./mailchannels/transport.ts";
import { createMailgun, LIMITS as mailgun } from "./mailgun/transport.ts";
import { createMailjet, LIMITS as mailjet } from "./mailjet/transport.ts";
import { createMandrill, LIMITS as mandrill } from "./mandrill/transport.ts";
import { createPosthouse } from "./posthouse/transport.ts";
import { createPostmark, LIMITS as postmark } from "./postmark/transport.ts";
import { createResend, LIMITS as resend } from "./resend/transport.ts";
import { createSendgrid, LIMITS as sendgrid } from "./sendgrid/transport.ts";
import { createSes, foresee as ses } from "./ses/transport.ts";
import { createSparkpost, LIMITS as sparkpost } from "./sparkpost/transport.ts";
import { RELAY_SCHEMAS, type RelayType } from "./schemas.ts";
import { createWebhook, foresee as webhook } from "./webhook/transport.ts";

export type { ProviderOptions } from "./http/provider.ts";
export { RELAY_TYPES, type RelayType } from "./schemas.ts";

/** How a provider treats the octets of a message. */
export type Fidelity =
  /** They go out as they are, and the envelope with them. */
  | "raw"
  /** As they are, but for the fields that name recipients. */
  | "addressed"
  /** They are taken apart into the fields of an API. */
  | "converted";

/** One provider, for the config file and the composition root. */
export interface CatalogueEntry<Config> {
  /** The table of a transport of this type, its key `type` apart; `shape` holds its keys. */
  readonly schema: z.ZodObject<z.ZodRawShape, z.core.$strict> & z.ZodType<Config>;
  readonly fidelity: Fidelity;
  /** What an API that wants fields can take; absent where it takes messages. */
  readonly limits?: ConversionLimits;
  /** Tells, without sending it, what a message would lose. */
  readonly foresee: Foresee;
  /** Makes a transport from a table that the schema has parsed. */
  create(config: Config, options: ProviderOptions): Transport;
}

/** Every provider by the `type` of its transports. */
export const RELAY_CATALOGUE = {
  mailgun: entry({
    schema: RELAY_SCHEMAS.mailgun,
    fidelity: "raw",
    create: createMailgun,
    foresee: foreseeRaw((job) => rawProblem(job, mailgun)),
  }),
  ses: entry({ schema: RELAY_SCHEMAS.ses, fidelity: "raw", create: createSes, foresee: ses }),
  sparkpost: entry({
    schema: RELAY_SCHEMAS.sparkpost,
    fidelity: "raw",
    create: createSparkpost,
    foresee: foreseeText(sparkpost),
  }),
  mandrill: entry({
    schema: RELAY_SCHEMAS.mandrill,
    fidelity: "raw",
    create: createMandrill,
    foresee: foreseeText(mandrill),
  }),
  cloudflare: entry({
    schema: RELAY_SCHEMAS.cloudflare,
    fidelity: "raw",
    create: createCloudflare,
    foresee: cloudflare,
  }),
  gmail: entry({
    schema: RELAY_SCHEMAS.gmail,
    fidelity: "addressed",
    create: createGmail,
    foresee: foreseeAddressed(gmail),
  }),
  graph: entry({
    schema: RELAY_SCHEMAS.graph,
    fidelity: "addressed",
    create: createGraph,
    foresee: foreseeAddressed(graph),
  }),
  sendgrid: entry({
    schema: RELAY_SCHEMAS.sendgrid,
    fidelity: "converted",
    create: createSendgrid,
    foresee: foreseeConverted(sendgrid),
    limits: sendgrid,
  }),
  postmark: entry({
    schema: RELAY_SCHEMAS.postmark,
    fidelity: "converted",
    create: createPostmark,
    foresee: foreseeConverted(postmark),
    limits: postmark,
  }),
  resend: entry({
    schema: RELAY_SCHEMAS.resend,
    fidelity: "converted",
    create: createResend,
    foresee: foreseeConverted(resend),
    limits: resend,
  }),
  brevo: entry({
    schema: RELAY_SCHEMAS.brevo,
    fidelity: "converted",
    create: createBrevo,
    foresee: foreseeConverted(brevo),
    limits: brevo,
  }),
  mailjet: entry({
    schema: RELAY_SCHEMAS.mailjet,
    fidelity: "converted",
    create: createMailjet,
    foresee: foreseeConverted(mailjet),
    limits: mailjet,
  }),
  mailchannels: entry({
    schema: RELAY_SCHEMAS.mailchannels,
    fidelity: "converted",
    create: createMailchannels,
    foresee: foreseeConverted(mailchannels),
    limits: mailchannels,
  }),
  webhook: entry({
    schema: RELAY_SCHEMAS.webhook,
    fidelity: "raw",
    create: createWebhook,
    foresee: webhook,
  }),
  posthouse: entry({
    schema: RELAY_SCHEMAS.posthouse,
    fidelity: "raw",
    create: createPosthouse,
    foresee: foreseeRaw(() => null),
  }),
} as const satisfies Readonly<Record<RelayType, unknown>>;

/** The outcome of `createRelay`. */
export type CreateResult =
  | { readonly kind: "created"; readonly transport: Transport }
  | { readonly kind: "invalid"; readonly error: z.ZodError };

/**
 * Makes a transport from its table in the config file, without the key `type`. An error names
 * paths within the table.
 */
export function createRelay(
  { type, table }: { type: RelayType; table: unknown },
  options: ProviderOptions,
): CreateResult {
  return RELAY_CATALOGUE[type].open(table, options);
}

interface Entry<Config> extends CatalogueEntry<Config> {
  /** `create` behind the schema, so that the type of the config stays in here. */
  open(table: unknown, options: ProviderOptions): CreateResult;
}

function entry<Shape extends z.ZodRawShape, Config>(
  { schema, fidelity, limits, foresee, create }: {
    schema: z.ZodObject<Shape, z.core.$strict> & z.ZodType<Config>;
    fidelity: Fidelity;
    limits?: ConversionLimits;
    foresee: Foresee;
    create(config: Config, options: ProviderOptions): Transport;
  },
): Entry<Config> {
  return {
    schema,
    fidelity,
    ...(limits === undefined ? {} : { limits }),
    foresee,
    create,
    open(table, options) {
      const parsed = schema.safeParse(table);
      if (!parsed.success) return { kind: "invalid", error: parsed.error };
      return { kind: "created", transport: create(parsed.data, options) };
    },
  };
}
