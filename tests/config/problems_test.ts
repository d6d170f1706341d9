import { assertEquals } from "@std/assert";
import { formatProblem } from "../../src/config/problems.ts";
import { documentSchema } from "../../src/config/schema.ts";
import { RELAY_TYPES } from "../../src/relay/schemas.ts";
import { load, type Surroundings } from "./support.ts";

const TRANSPORT_TYPES = ["mx", "smarthost", "lmtp", ...RELAY_TYPES]
  .map((type) => JSON.stringify(type)).join(", ");

const SECTIONS = Object.keys(documentSchema.shape).join(", ");

interface Case extends Surroundings {
  readonly name: string;
  readonly source: string;
  /** Every line that is printed. */
  readonly expected: readonly string[];
}

const LISTENER = `[[listeners]]\nname = "smtp"\n`;
const MX = `[transports.out]\ntype = "mx"\n`;

const CASES: readonly Case[] = [
  {
    name: "a syntax error",
    source: `hostname = "a`,
    expected: ["posthouse.toml:1:14: expected valid TOML, got unterminated string constant"],
  },
  {
    name: "a key given twice",
    source: `data_dir = "a"\ndata_dir = "b"\n`,
    expected: [
      "posthouse.toml:2:1: expected valid TOML, got defining a key multiple times is invalid",
    ],
  },
  {
    name: "an unknown section",
    source: `\n[quue]\nstore = "memory"\n`,
    expected: [
      `posthouse.toml:2:2: quue: expected one of ${SECTIONS}, got "quue" ` +
      `(did you mean "queue"?)`,
    ],
  },
  {
    name: "an unknown key",
    source: `[log]\nlevel = "info"\n  formt = "json"\n`,
    expected: [
      `posthouse.toml:3:3: log.formt: expected one of level, format, got "formt" ` +
      `(did you mean "format"?)`,
    ],
  },
  {
    name: "an unknown key unlike any other",
    source: `[log]\ncolour_of_lines = 1\n`,
    expected: [
      `posthouse.toml:2:1: log.colour_of_lines: expected one of level, format, ` +
      `got "colour_of_lines"`,
    ],
  },
  {
    name: "a missing key points at its table",
    source: `${LISTENER}address = "::1"\n`,
    expected: [
      "posthouse.toml:1:3: listeners[0].port: expected a whole number from 0 to 65535, got nothing",
    ],
  },
  {
    name: "a port out of range",
    source: `${LISTENER}port = 70000\n`,
    expected: [
      "posthouse.toml:3:8: listeners[0].port: expected a whole number from 0 to 65535, got 70000",
    ],
  },
  {
    name: "a port that is text",
    source: `[transports.out]\ntype = "mx"\nport = "abc"\n`,
    expected: [
      `posthouse.toml:3:8: transports.out.port: expected a whole number from 1 to 65535, got "abc"`,
    ],
  },
  {
    name: "a number with decimals, a switch and a table where a number should be",
    source: `[limits]\nrecipients = 1.5\nerrors = true\nreceived_hops = { a = 1 }\n`,
    expected: [
      "posthouse.toml:2:14: limits.recipients: expected a whole number from 1 to 65536, got 1.5",
      "posthouse.toml:3:10: limits.errors: expected a whole number of at least 1, got true",
      "posthouse.toml:4:17: limits.received_hops: expected a whole number of at least 1, " +
      "got a table",
    ],
  },
  {
    name: "bad durations and sizes",
    source: `[queue]\nexpire = "4 days"\nretry = ["1m", "soon"]\nspool_threshold = "1 XB"\n`,
    expected: [
      `posthouse.toml:2:10: queue.expire: expected a duration such as "30s", "5m" or "1h30m", ` +
      `at least 1s, got "4 days"`,
      `posthouse.toml:3:16: queue.retry[1]: expected a duration such as "30s", "5m" or "1h30m", ` +
      `at least 1s, got "soon"`,
      `posthouse.toml:4:19: queue.spool_threshold: expected a size such as "64KiB" or "25MiB", ` +
      `got "1 XB"`,
    ],
  },
  {
    name: "a word that is none of the choices",
    source: `[queue]\nstore = "postgres"\n`,
    expected: [
      `posthouse.toml:2:9: queue.store: expected one of "sqlite", "memory", got "postgres"`,
    ],
  },
  {
    name: "a bad network and a bad host name",
    source: `hostname = "my host"\n[relay]\nnetworks = ["10.0.0.0/8", "10.1.2.3/8"]\n`,
    expected: [
      `posthouse.toml:1:12: hostname: expected a host name such as "relay.example.net", ` +
      `got "my host"`,
      `posthouse.toml:3:27: relay.networks[1]: expected an IP network such as "10.0.0.0/8" or "2001:db8::/32", with no bits set after the prefix, got "10.1.2.3/8"`,
    ],
  },
  {
    name: "a transport of no known type",
    source:
      `[transports.a]\ntype = "carrier-pigeon"\n[transports.b]\n[[routes]]\ntransports = ["a"]`,
    expected: [
      `posthouse.toml:2:8: transports.a.type: expected one of ${TRANSPORT_TYPES}, ` +
      `got "carrier-pigeon"`,
      `posthouse.toml:3:13: transports.b.type: expected one of ${TRANSPORT_TYPES}, got nothing`,
    ],
  },
  {
    name: "a smarthost without hosts and one with a bad host",
    source: `[transports.a]\ntype = "smarthost"\nhosts = []\n` +
      `[transports.b]\ntype = "smarthost"\nhosts = ["mail example:25"]\n` +
      `[[routes]]\ntransports = ["a", "b"]\n`,
    expected: [
      "posthouse.toml:3:9: transports.a.hosts: expected at least one host, or srv, " +
      "got neither",
      `posthouse.toml:6:10: transports.b.hosts[0]: expected a host with or without port, ` +
      `such as "smtp.example.net:25", got "mail example:25"`,
    ],
  },
  {
    name: "hosts and srv",
    source: `[transports.a]\ntype = "smarthost"\nhosts = ["a.example"]\nsrv = "b.example"\n`,
    expected: [
      "posthouse.toml:3:9: transports.a.hosts: expected at least one host, or srv, " +
      "got both",
    ],
  },
  {
    name: "TLS words, fingerprints and keys that are none",
    source: `${MX}tls = "always"\ntls_fingerprints = ["ab"]\ntls_key = "not to be printed"\n` +
      `[[transports.out.tls_overrides]]\ndomain = "a.example"\ntls = "fingerprint"\n`,
    expected: [
      `posthouse.toml:1:13: transports.out.tls_certificate: expected both a certificate and its key, or neither, got nothing`,
      `posthouse.toml:3:7: transports.out.tls: expected one of "none", "opportunistic", ` +
      `"required", "verified", "fingerprint", "dane", got "always"`,
      `posthouse.toml:4:21: transports.out.tls_fingerprints[0]: expected a SHA-256 fingerprint ` +
      `of 64 hexadecimal digits, got "ab"`,
      `posthouse.toml:5:11: transports.out.tls_key: expected a private key in PEM, such as ` +
      `{ file = "relay.pem" }, got (hidden)`,
      `posthouse.toml:6:18: transports.out.tls_overrides[0].tls_fingerprints: expected a list of ` +
      `at least one fingerprint, got nothing`,
    ],
  },
  {
    name: "a login with two secrets and one without any",
    source:
      `[transports.a]\ntype = "smarthost"\nhosts = ["a.example"]\nauth = { username = "a" }\n` +
      `[transports.b]\ntype = "smarthost"\nhosts = ["b.example"]\n[transports.b.auth]\n` +
      `username = "b"\npassword = "x"\noauth = { token_url = "https://a.example/", client_id = "b" }\n` +
      `[[routes]]\ntransports = ["a", "b"]\n`,
    expected: [
      "posthouse.toml:4:8: transports.a.auth: expected either a password or an oauth table, got a table",
      "posthouse.toml:8:15: transports.b.auth: expected either a password or an oauth table, got a table",
    ],
  },
  {
    name: "a route to an unknown transport",
    source: `${MX}[[routes]]\ntransports = ["outt"]\n`,
    expected: [
      "posthouse.toml:4:15: routes[0].transports[0]: expected the name of a transport (out), " +
      `got "outt" (did you mean "out"?)`,
    ],
  },
  {
    name: "a route for an unknown listener",
    source: `[[routes]]\nmatch = { listener = ["smpt"] }\ntransports = ["mx"]\n`,
    expected: [
      "posthouse.toml:2:23: routes[0].match.listener[0]: expected the name of a listener " +
      `(smtp, local), got "smpt" (did you mean "smtp"?)`,
    ],
  },
  {
    name: "several transports and no route",
    source: `${MX}[transports.other]\ntype = "mx"\n`,
    expected: [
      "posthouse.toml:1:1: routes: expected at least one [[routes]] table, because there are several transports, got nothing",
    ],
  },
  {
    name: "an empty list of routes",
    source: `routes = []\n`,
    expected: [
      "posthouse.toml:1:10: routes: expected a list of at least one [[routes]] table, " +
      "got an empty list",
    ],
  },
  {
    name: "a route behind one that fits everything",
    source: `[[routes]]\ntransports = ["mx"]\n` +
      `[[routes]]\nmatch = { sender = ["a@b.example"] }\ntransports = ["mx"]\n`,
    expected: [
      "posthouse.toml:3:3: routes[1]: expected a position before routes[0], which matches every message, " +
      "got a route that is never reached",
    ],
  },
  {
    name: "two listeners with one name and one place",
    source: `${LISTENER}port = 25\n${LISTENER}port = 25\n`,
    expected: [
      `posthouse.toml:5:8: listeners[1].name: expected a name that no other listener has, ` +
      `got "smtp"`,
      "posthouse.toml:6:8: listeners[1].port: expected an address and port that no other listener " +
      "has, got 127.0.0.1 port 25",
    ],
  },
  {
    name: "an environment variable that is not set and a file that is not there",
    source: `hostname = { env = "RELAY_NAME" }\ndata_dir = { file = "/run/dir" }\n`,
    expected: [
      "posthouse.toml:1:12: hostname: expected the environment variable RELAY_NAME, got nothing",
      `posthouse.toml:2:12: data_dir: expected the file "/run/dir" to be readable, ` +
      "got /run/dir is not there",
    ],
  },
  {
    name: "TLS without certificates",
    source: `${LISTENER}port = 25\ntls = "required"\n`,
    expected: [
      "posthouse.toml:4:7: listeners[0].tls: expected at least one certificate in " +
      `tls.certificates, or tls = "none", got "required"`,
    ],
  },
  {
    name: "an alias that is no mail address",
    source: `[aliases]\n"team@example.net" = ["ann"]\n`,
    expected: [
      `posthouse.toml:2:23: aliases."team@example.net"[0]: expected a mail address such as ` +
      `"team@example.net", got "ann"`,
    ],
  },
  {
    name: "a value of the environment is never printed",
    source: `${LISTENER}port = { env = "PORT" }\n[relay]\nnetworks = { file = "nets" }\n`,
    env: { PORT: "secret" },
    files: { nets: "secret\n" },
    expected: [
      "posthouse.toml:3:8: listeners[0].port: expected a whole number from 0 to 65535, " +
      "got the value of the environment variable PORT",
      `posthouse.toml:5:12: relay.networks[0]: expected an IP network such as "10.0.0.0/8" or "2001:db8::/32", with no bits set after the prefix, got the content of the file "nets"`,
    ],
  },
  {
    name: "webhooks of providers that prove nothing",
    source: `[[provider_events.sources]]
name = "a b"
provider = "mailgun"
signing_key = "k"
[[provider_events.sources]]
name = "pm"
provider = "postmark"
secret = "short"
[[provider_events.sources]]
name = "pm"
provider = "ses"
topics = ["mail-events"]
[[provider_events.sources]]
name = "sg"
provider = "sendgrid"
public_key = "AAAA"
[[provider_events.sources]]
name = "re"
provider = "resend"
[[provider_events.sources]]
name = "sp"
provider = "sparkpost"
`,
    expected: [
      "posthouse.toml:2:8: provider_events.sources[0].name: expected a name of letters, digits, " +
      'dots, dashes and underscores, got "a b"',
      "posthouse.toml:8:10: provider_events.sources[1].secret: expected a secret of at least 20 " +
      "characters without spaces, got (hidden)",
      "posthouse.toml:10:8: provider_events.sources[2].name: expected a name that no other " +
      'source has, got "pm"',
      "posthouse.toml:12:11: provider_events.sources[2].topics[0]: expected the ARN of a topic " +
      'such as "arn:aws:sns:eu-central-1:123456789012:mail-events", got "mail-events"',
      "posthouse.toml:16:14: provider_events.sources[3].public_key: expected a verification key " +
      '(ECDSA, base64), got "AAAA"',
      "posthouse.toml:17:19: provider_events.sources[4].signing_secret: expected a signing " +
      'secret such as "whsec_…", got nothing',
      "posthouse.toml:22:12: provider_events.sources[5].provider: expected one of " +
      '"mailgun", "ses", "sendgrid", "postmark", "resend", got "sparkpost"',
    ],
  },
];

for (const { name, source, expected, ...surroundings } of CASES) {
  Deno.test(`config: ${name}`, async () => {
    const result = await load(source, surroundings);
    const lines = result.kind === "invalid" ? result.problems.map(formatProblem) : [];
    assertEquals(lines, [...expected]);
  });
}
