import { z } from "zod";
import { baseUrl, choice, label, secret, tags } from "../http/options.ts";

/** The table of a transport of type `mailgun`. */
export const mailgunConfig = z.strictObject({
  domain: label("a sending domain").describe("Sending domain, as registered with Mailgun."),
  api_key: secret("an API key").describe("API key, or a sending key of the domain."),
  region: choice(["us", "eu"]).default("us").describe("Region of the domain."),
  tags: tags(),
  base_url: baseUrl(),
});
export type MailgunConfig = z.output<typeof mailgunConfig>;
