import { z } from "zod";
import { baseUrl, secret } from "../http/options.ts";

/** The table of a transport of type `resend`. */
export const resendConfig = z.strictObject({
  api_key: secret("an API key").describe("API key that may send mail."),
  base_url: baseUrl(),
});
export type ResendConfig = z.output<typeof resendConfig>;
