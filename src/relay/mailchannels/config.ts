import { z } from "zod";
import { baseUrl, secret } from "../http/options.ts";

/** The table of a transport of type `mailchannels`. */
export const mailchannelsConfig = z.strictObject({
  api_key: secret("an API key").describe("API key of the Email API."),
  base_url: baseUrl(),
});
export type MailchannelsConfig = z.output<typeof mailchannelsConfig>;
