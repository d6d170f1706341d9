import { z } from "zod";
import { baseUrl, label, secret } from "../http/options.ts";

/** The table of a transport of type `ses`. */
export const sesConfig = z.strictObject({
  region: label("an AWS region").describe("AWS region, such as eu-central-1."),
  access_key_id: label("an access key id").describe("Access key of an IAM user or role."),
  secret_access_key: secret("a secret access key").describe("Secret access key."),
  session_token: secret("a session token").optional()
    .describe("Session token of a temporary access key."),
  configuration_set: label("the name of a configuration set").optional()
    .describe("SES configuration set to use."),
  feedback_address: label("a mail address").optional()
    .describe("Verified address for bounces. SES chooses the envelope sender itself."),
  base_url: baseUrl(),
});
export type SesConfig = z.output<typeof sesConfig>;
