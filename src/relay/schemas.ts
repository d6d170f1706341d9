import { brevoConfig } from "./brevo/config.ts";
import { cloudflareConfig } from "./cloudflare/config.ts";
import { gmailConfig } from "./gmail/config.ts";
import { graphConfig } from "./graph/config.ts";
import { mailchannelsConfig } from "./mailchannels/config.ts";
import { mailgunConfig } from "./mailgun/config.ts";
import { mailjetConfig } from "./mailjet/config.ts";
import { mandrillConfig } from "./mandrill/config.ts";
import { posthouseConfig } from "./posthouse/config.ts";
import { postmarkConfig } from "./postmark/config.ts";
import { resendConfig } from "./resend/config.ts";
import { sendgridConfig } from "./sendgrid/config.ts";
import { sesConfig } from "./ses/config.ts";
import { sparkpostConfig } from "./sparkpost/config.ts";
import { webhookConfig } from "./webhook/config.ts";

/** The table of a transport of each type, its key `type` apart. */
export const RELAY_SCHEMAS = {
  mailgun: mailgunConfig,
  ses: sesConfig,
  sparkpost: sparkpostConfig,
  mandrill: mandrillConfig,
  cloudflare: cloudflareConfig,
  gmail: gmailConfig,
  graph: graphConfig,
  sendgrid: sendgridConfig,
  postmark: postmarkConfig,
  resend: resendConfig,
  brevo: brevoConfig,
  mailjet: mailjetConfig,
  mailchannels: mailchannelsConfig,
  webhook: webhookConfig,
  posthouse: posthouseConfig,
} as const;

/** The `type` of a transport to an HTTP API. */
export type RelayType = keyof typeof RELAY_SCHEMAS;

/** The types in the order of the catalogue. */
export const RELAY_TYPES: readonly RelayType[] = Object.keys(RELAY_SCHEMAS) as RelayType[];
