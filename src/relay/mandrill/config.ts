import { z } from "zod";
import { baseUrl, label, secret } from "../http/options.ts";

/** The table of a transport of type `mandrill` (Mailchimp Transactional). */
export const mandrillConfig = z.strictObject({
  api_key: secret("an API key").describe("API key of Mailchimp Transactional."),
  return_path_domain: label("a domain").optional()
    .describe("Verified domain of the envelope sender, instead of Mandrill's own."),
  ip_pool: label("the name of an IP pool").optional().describe("Pool of dedicated addresses."),
  base_url: baseUrl(),
});
export type MandrillConfig = z.output<typeof mandrillConfig>;
