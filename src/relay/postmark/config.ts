import { z } from "zod";
import { baseUrl, label, secret } from "../http/options.ts";

/** The table of a transport of type `postmark`. */
export const postmarkConfig = z.strictObject({
  server_token: secret("a server token").describe("API token of the Postmark server."),
  message_stream: label("the id of a message stream").optional()
    .describe("Message stream. Default: the server's default."),
  base_url: baseUrl(),
});
export type PostmarkConfig = z.output<typeof postmarkConfig>;
