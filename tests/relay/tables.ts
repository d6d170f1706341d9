/** The least that a table of each type holds. */
export const TABLES: Readonly<Record<string, Record<string, string>>> = {
  mailgun: { domain: "mg.sender.example", api_key: "k" },
  ses: { region: "eu-west-1", access_key_id: "AKID", secret_access_key: "k" },
  sparkpost: { api_key: "k" },
  mandrill: { api_key: "k" },
  cloudflare: { account_id: "a", api_token: "k" },
  gmail: { client_id: "c", client_secret: "k", refresh_token: "r" },
  graph: { tenant: "t", user: "a@b.example", client_id: "c", client_secret: "k" },
  sendgrid: { api_key: "k" },
  postmark: { server_token: "k" },
  resend: { api_key: "k" },
  brevo: { api_key: "k" },
  mailjet: { api_key: "p", secret_key: "k" },
  mailchannels: { api_key: "k" },
  webhook: { url: "https://hook.example/in" },
  posthouse: { url: "https://relay.example", api_key: "k" },
};
