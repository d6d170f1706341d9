import { z } from "zod";
import { baseUrl, choice, secret } from "../http/options.ts";

/** The table of a transport of type `sendgrid`. */
export const sendgridConfig = z.strictObject({
  api_key: secret("an API key").describe("API key that may send mail."),
  region: choice(["global", "eu"]).default("global").describe("Region of the account."),
  base_url: baseUrl(),
});
export type SendgridConfig = z.output<typeof sendgridConfig>;
