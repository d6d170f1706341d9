import { z } from "zod";
import { choice, secret, url } from "../http/options.ts";

/** The table of a transport of type `webhook`. */
export const webhookConfig = z.strictObject({
  url: url().describe("URL that receives the messages."),
  format: choice(["raw", "json", "parsed"]).default("raw")
    .describe(
      "message/rfc822 with the envelope in header fields, JSON with the message in base64, or " +
        "parsed: JSON with its fields, text and attachments.",
    ),
  secret: secret("a secret").optional().describe("Key that requests are signed with."),
  bearer_token: secret("a token").optional().describe("Token for the Authorization field."),
});
export type WebhookConfig = z.output<typeof webhookConfig>;
