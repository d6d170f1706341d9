import { z } from "zod";
import { baseUrl, secret } from "../http/options.ts";

/** The table of a transport of type `brevo`. */
export const brevoConfig = z.strictObject({
  api_key: secret("an API key").describe("API key of the account."),
  base_url: baseUrl(),
});
export type BrevoConfig = z.output<typeof brevoConfig>;
