import { z } from "zod";
import { baseUrl, choice, label, secret, url } from "../http/options.ts";

/** The table of a transport of type `graph` (Microsoft 365). */
export const graphConfig = z.strictObject({
  tenant: label("a tenant").describe("Directory (tenant) id or domain."),
  user: label("a mail address").describe("Mailbox that sends."),
  client_id: label("a client id").describe("Application (client) id."),
  client_secret: secret("a client secret").describe("Client secret of the application."),
  refresh_token: secret("a refresh token").optional()
    .describe("Acts for one user. Without it, the application needs the permission Mail.Send."),
  region: choice(["global", "us-gov", "us-gov-dod", "china"]).default("global")
    .describe("National cloud of the tenant."),
  token_url: url().optional().describe("URL that issues access tokens."),
  base_url: baseUrl(),
});
export type GraphConfig = z.output<typeof graphConfig>;
