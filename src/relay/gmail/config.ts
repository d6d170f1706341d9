import { z } from "zod";
import { baseUrl, label, secret, url } from "../http/options.ts";

/** The table of a transport of type `gmail`. */
export const gmailConfig = z.strictObject({
  user: label("a mail address").default("me")
    .describe("Mailbox that sends. Default: the mailbox of the refresh token."),
  client_id: label("a client id").describe("OAuth client of the Google Cloud project."),
  client_secret: secret("a client secret").describe("Secret of the OAuth client."),
  refresh_token: secret("a refresh token")
    .describe("Refresh token with the scope https://www.googleapis.com/auth/gmail.send."),
  token_url: url().default("https://oauth2.googleapis.com/token")
    .describe("URL that issues access tokens."),
  base_url: baseUrl(),
});
export type GmailConfig = z.output<typeof gmailConfig>;
