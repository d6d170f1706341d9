import { z } from "zod";
import { baseUrl, choice, label, secret } from "../http/options.ts";

/** The table of a transport of type `mailjet`. */
export const mailjetConfig = z.strictObject({
  api_key: label("an API key").describe("API key, the public half."),
  secret_key: secret("a secret key").describe("Secret key that belongs to the API key."),
  region: choice(["global", "us"]).default("global").describe("Region of the account."),
  base_url: baseUrl(),
});
export type MailjetConfig = z.output<typeof mailjetConfig>;
