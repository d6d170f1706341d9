import { z } from "zod";
import { baseUrl, label, secret } from "../http/options.ts";

/** The table of a transport of type `cloudflare`. */
export const cloudflareConfig = z.strictObject({
  account_id: label("an account id").describe("Identifier of the Cloudflare account."),
  api_token: secret("an API token").describe("API token that may send mail."),
  base_url: baseUrl(),
});
export type CloudflareConfig = z.output<typeof cloudflareConfig>;
