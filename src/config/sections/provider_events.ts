import { createPublicKey } from "node:crypto";
import { z } from "zod";
import { count, ipAddress, listOf, network, table, text, wholeNumber } from "../fields.ts";
import { secret } from "../secrets.ts";
import { pem } from "./transport_tls.ts";

/** Where providers tell what became of messages, and how each proves who it is. */
export interface ProviderEventsConfig {
  /** IP address without brackets. */
  readonly address: string;
  /** 0 for a port that the system chooses. */
  readonly port: number;
  /** Certificate and key, PEM; null for a proxy that has them. */
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  /** Networks of proxies whose X-Forwarded-For is believed. */
  readonly proxies: readonly string[];
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Without any, nothing listens. */
  readonly sources: readonly EventSourceConfig[];
}

/** One webhook of a provider. */
export type EventSourceConfig =
  | { readonly provider: "mailgun"; readonly name: string; readonly signingKey: string }
  | { readonly provider: "sendgrid"; readonly name: string; readonly publicKey: string }
  | { readonly provider: "postmark"; readonly name: string; readonly secret: string }
  | { readonly provider: "resend"; readonly name: string; readonly signingSecret: string }
  | { readonly provider: "ses"; readonly name: string; readonly topics: readonly string[] };

const LEAST_SECRET_CHARS = 20;
const PROVIDERS = ["mailgun", "ses", "sendgrid", "postmark", "resend"];

const name = text({
  expected: "a name of letters, digits, dots, dashes and underscores",
  isValid: (value) => /^[\w.-]{1,60}$/.test(value),
}).describe("Name of the source in its URL, /events/NAME, and in timelines.");

const mailgun = table({
  name,
  provider: z.literal("mailgun"),
  signing_key: secret(text({ expected: "a signing key", isValid: (value) => value !== "" }))
    .describe("Mailgun: HTTP webhook signing key of the account."),
});

const ses = table({
  name,
  provider: z.literal("ses"),
  topics: listOf(
    text({
      expected: `the ARN of a topic such as "arn:aws:sns:eu-central-1:123456789012:mail-events"`,
      isValid: (value) => /^arn:aws[\w-]*:sns:[a-z\d-]+:\d{12}:[\w-]+(?:\.fifo)?$/.test(value),
    }),
    { atLeastOne: "topic" },
  ).describe("Amazon SES: ARNs of the SNS topics to accept and subscribe to."),
});

const sendgrid = table({
  name,
  provider: z.literal("sendgrid"),
  public_key: text({ expected: "a verification key (ECDSA, base64)", isValid: isVerificationKey })
    .describe("SendGrid: verification key of the signed event webhook."),
});

const postmark = table({
  name,
  provider: z.literal("postmark"),
  secret: secret(text({
    expected: `a secret of at least ${LEAST_SECRET_CHARS} characters without spaces`,
    isValid: (value) => value.length >= LEAST_SECRET_CHARS && /^[\x21-\x7e]+$/.test(value),
  })).describe("Postmark, which does not sign: password of its HTTP authentication."),
});

const resend = table({
  name,
  provider: z.literal("resend"),
  signing_secret: secret(text({
    expected: `a signing secret such as "whsec_…"`,
    isValid: (value) => /^(?:whsec_)?(?:[A-Za-z\d+/]{4})+(?:[A-Za-z\d+/]{2,3}=*)?$/.test(value),
  })).describe("Resend: signing secret of the webhook."),
});

const source = z.discriminatedUnion("provider", [mailgun, ses, sendgrid, postmark, resend], {
  error: `one of ${PROVIDERS.map((provider) => JSON.stringify(provider)).join(", ")}`,
});

/** The `[provider_events]` table. */
export const providerEventsSchema = table({
  address: ipAddress().default("127.0.0.1").describe("IP address to listen on."),
  port: wholeNumber({ min: 0, max: 65535 }).default(8026)
    .describe("TCP port; 0 lets the system choose."),
  tls_certificate: text(pem("CERTIFICATE")).optional()
    .describe("Certificate to listen with, PEM, its intermediates after it; best given as a file."),
  tls_key: secret(text(pem("PRIVATE KEY"))).optional()
    .describe("Key of the certificate, PEM; best given as a file."),
  proxies: listOf(network()).default(["127.0.0.0/8", "::1/128"])
    .describe("Networks of proxies whose X-Forwarded-For is believed."),
  max_connections: count().default(200).describe(
    "Concurrent connections; further ones are closed.",
  ),
  max_connections_per_address: count().default(100)
    .describe("Concurrent connections from one client address, which may be a reverse proxy."),
  sources: listOf(source).default([]).describe("Webhooks of providers."),
}).prefault({}).describe("Endpoint for the event webhooks of providers.");

export function providerEventsConfig(
  doc: z.output<typeof providerEventsSchema>,
): ProviderEventsConfig {
  const { address, port, proxies, sources, tls_certificate: certificate, tls_key: key } = doc;
  const tls = certificate === undefined || key === undefined ? null : { certificate, key };
  return {
    ...{ address, port, tls, proxies },
    maxConnections: doc.max_connections,
    maxConnectionsPerAddress: doc.max_connections_per_address,
    sources: sources.map(sourceConfig),
  };
}

function sourceConfig(doc: z.output<typeof source>): EventSourceConfig {
  const { name } = doc;
  switch (doc.provider) {
    case "mailgun":
      return { provider: doc.provider, name, signingKey: doc.signing_key };
    case "sendgrid":
      return { provider: doc.provider, name, publicKey: doc.public_key };
    case "postmark":
      return { provider: doc.provider, name, secret: doc.secret };
    case "resend":
      return { provider: doc.provider, name, signingSecret: doc.signing_secret };
    case "ses":
      return { provider: doc.provider, name, topics: doc.topics };
  }
}

function isVerificationKey(value: string): boolean {
  try {
    const key = `-----BEGIN PUBLIC KEY-----\n${value}\n-----END PUBLIC KEY-----\n`;
    return createPublicKey({ key, format: "pem" }).asymmetricKeyType === "ec";
  } catch {
    return false;
  }
}
