import { z } from "zod";
import { secret, url } from "../http/options.ts";

/** The table of a transport of type `posthouse`. */
export const posthouseConfig = z.strictObject({
  url: url().describe("Address of the other Posthouse, such as https://relay.example.net."),
  api_key: secret("an API key").describe("API key of that relay with the scope send."),
});
export type PosthouseConfig = z.output<typeof posthouseConfig>;
