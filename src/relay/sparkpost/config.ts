import { z } from "zod";
import { baseUrl, choice, label, secret } from "../http/options.ts";

/** The table of a transport of type `sparkpost`. */
export const sparkpostConfig = z.strictObject({
  api_key: secret("an API key").describe("API key that may use transmissions."),
  region: choice(["us", "eu"]).default("us").describe("Where the account is hosted."),
  return_path: label("a mail address").optional()
    .describe("Address of a verified bounce domain, in place of SparkPost's own."),
  campaign: label("a campaign id").optional().describe("Campaign that statistics are kept by."),
  base_url: baseUrl(),
});
export type SparkpostConfig = z.output<typeof sparkpostConfig>;
