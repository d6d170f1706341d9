import type { z } from "zod";
import type { Transport } from "../delivery/transport.ts";
import { brevoConfig } from "./brevo/config.ts";
import { createBrevo } from "./brevo/transport.ts";
import { cloudflareConfig } from "./cloudflare/config.ts";
import { createCloudflare } from "./cloudflare/transport.ts";
import { gmailConfig } from "./gmail/config.ts";
import { createGmail } from "./gmail/transport.ts";
import { graphConfig } from "./graph/config.ts";
import { createGraph } from "./graph/transport.ts";
import type { ProviderOptions } from "./http/provider.ts";
import { mailchannelsConfig } from "./mailchannels/config.ts";
import { createMailchannels } from "./mailchannels/transport.ts";
import { mailgunConfig } from "./mailgun/config.ts";
import { createMailgun } from "./mailgun/transport.ts";
import { mailjetConfig } from "./mailjet/config.ts";
import { createMailjet } from "./mailjet/transport.ts";
import { mandrillConfig } from "./mandrill/config.ts";
import { createMandrill } from "./mandrill/transport.ts";
import { posthouseConfig } from "./posthouse/config.ts";
import { createPosthouse } from "./posthouse/transport.ts";
import { postmarkConfig } from "./postmark/config.ts";
import { createPostmark } from "./postmark/transport.ts";
import { resendConfig } from "./resend/config.ts";
import { createResend } from "./resend/transport.ts";
import { sendgridConfig } from "./sendgrid/config.ts";
import { createSendgrid } from "./sendgrid/transport.ts";
import { sesConfig } from "./ses/config.ts";
import { createSes } from "./ses/transport.ts";
import { sparkpostConfig } from "./sparkpost/config.ts";
import { createSparkpost } from "./sparkpost/transport.ts";
import { webhookConfig } from "./webhook/config.ts";
import { createWebhook } from "./webhook/transport.ts";

export type { ProviderOptions } from "./http/provider.ts";

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
  /** Makes a transport from a table that the schema has parsed. */
  create(config: Config, options: ProviderOptions): Transport;
}

/** Every provider by the `type` of its transports. */
export const RELAY_CATALOGUE = {
  mailgun: entry({ schema: mailgunConfig, fidelity: "raw", create: createMailgun }),
  ses: entry({ schema: sesConfig, fidelity: "raw", create: createSes }),
  sparkpost: entry({ schema: sparkpostConfig, fidelity: "raw", create: createSparkpost }),
  mandrill: entry({ schema: mandrillConfig, fidelity: "raw", create: createMandrill }),
  cloudflare: entry({ schema: cloudflareConfig, fidelity: "raw", create: createCloudflare }),
  gmail: entry({ schema: gmailConfig, fidelity: "addressed", create: createGmail }),
  graph: entry({ schema: graphConfig, fidelity: "addressed", create: createGraph }),
  sendgrid: entry({ schema: sendgridConfig, fidelity: "converted", create: createSendgrid }),
  postmark: entry({ schema: postmarkConfig, fidelity: "converted", create: createPostmark }),
  resend: entry({ schema: resendConfig, fidelity: "converted", create: createResend }),
  brevo: entry({ schema: brevoConfig, fidelity: "converted", create: createBrevo }),
  mailjet: entry({ schema: mailjetConfig, fidelity: "converted", create: createMailjet }),
  mailchannels: entry({
    schema: mailchannelsConfig,
    fidelity: "converted",
    create: createMailchannels,
  }),
  webhook: entry({ schema: webhookConfig, fidelity: "raw", create: createWebhook }),
  posthouse: entry({ schema: posthouseConfig, fidelity: "raw", create: createPosthouse }),
} as const;

/** The `type` of a transport to an HTTP API. */
export type RelayType = keyof typeof RELAY_CATALOGUE;

/** The types in the order of the catalogue. */
export const RELAY_TYPES: readonly RelayType[] = Object.keys(RELAY_CATALOGUE) as RelayType[];

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
  { schema, fidelity, create }: {
    schema: z.ZodObject<Shape, z.core.$strict> & z.ZodType<Config>;
    fidelity: Fidelity;
    create(config: Config, options: ProviderOptions): Transport;
  },
): Entry<Config> {
  return {
    schema,
    fidelity,
    create,
    open(table, options) {
      const parsed = schema.safeParse(table);
      if (!parsed.success) return { kind: "invalid", error: parsed.error };
      return { kind: "created", transport: create(parsed.data, options) };
    },
  };
}
