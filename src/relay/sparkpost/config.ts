import { z } from "zod";
import { baseUrl, choice, label, secret } from "../http/options.ts";

/** The table of a transport of type `sparkpost`. */
export const sparkpostConfig = z.strictObject({
  api_key: secret("an API key").describe("API key with access to transmissions."),
  region: choice(["us", "eu"]).default("us").describe("Region of the account."),
  return_path: label("a mail address").optional()
    .describe("Address of a verified bounce domain, instead of SparkPost's own."),
  campaign: label("a campaign id").optional().describe("Campaign name for statistics."),
  base_url: baseUrl(),
});
export type SparkpostConfig = z.output<typeof sparkpostConfig>;
