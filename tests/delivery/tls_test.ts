import { assertEquals, assertMatch } from "@std/assert";
import type { TlsRules } from "../../src/delivery/tls/rules.ts";
import { selfSigned, testAuthority } from "../support/certificates.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { CLOSE, type Script } from "../support/scripted_peer.ts";
import { inWords, type SmarthostSetup, smarthostSetup } from "../support/smarthost_setup.ts";
import { dialByAddress, smtpServices } from "../support/smtp_services.ts";

const authority = testAuthority();
const certificate = authority.issue({ names: ["mx.dest.example"] });
const roots = { ca: [authority.certificate] };
const OFFERS: Script = {
  extensions: ["PIPELINING", "STARTTLS"],
  tls: { certificates: [certificate] },
};
const HOST = "mx.dest.example";
const ADDRESS = "192.0.2.1";

/** A peer that is reached by the name `mx.dest.example`. */
function setup(script: Script, tls?: TlsRules): SmarthostSetup {
  let port = 0;
  const services = smtpServices({
    names: { addresses: { [HOST]: [ADDRESS] } },
    dialer: (target, options) => dialByAddress({ [ADDRESS]: port })(target, options),
  });
  const made = smarthostSetup(script, {
    hosts: [{ host: HOST, port: 25 }],
    services,
    ...(tls === undefined ? {} : { tls }),
  });
  port = made.peer.port;
  return made;
}

/** Delivers one message; the outcome in words with what the report says of TLS. */
async function deliver(made: SmarthostSetup): Promise<string> {
  const report = await made.deliver(sampleJob());
  const tls = report.tls === null ? "plain" : report.tls.version;
  return `${inWords(report).join()} | ${tls} ${report.proof ?? "unproven"}`;
}

const STORED = "delivered 250 2.0.0 Stored";
const EXPIRED = { notBeforeMs: 1e12, notAfterMs: 1.1e12 };

/** Certificate, rule, and what comes of it. */
const CASES: readonly [name: string, script: Script, tls: TlsRules | undefined, found: RegExp][] = [
  ["by default TLS is used where offered", OFFERS, undefined, /^delivered.*\| TLSv1.3 unproven$/],
  ["by default plain will do", {}, undefined, /^delivered.*\| plain unproven$/],
  ["none means none", OFFERS, { rule: { level: "none" } }, /^delivered.*\| plain unproven$/],
  [
    "required, but not offered",
    {},
    { rule: { level: "required" } },
    /^broken 451 4\.7\.4 mx\.dest\.example\[192\.0\.2\.1\]:25 does not offer STARTTLS \| plain/,
  ],
  [
    "required, with any certificate",
    { ...OFFERS, tls: { certificates: [selfSigned({ names: ["x.example"] })] } },
    { rule: { level: "required" } },
    /^delivered.*\| TLSv1.3 unproven$/,
  ],
  [
    "verified",
    OFFERS,
    { rule: { level: "verified" }, settings: roots },
    /^delivered.*\| TLSv1.3 chain$/,
  ],
  [
    "verified, but nobody vouches for it",
    OFFERS,
    { rule: { level: "verified" } },
    /^broken 451 4\.7\.5 .* has a certificate that is not trusted: \S+ \| TLSv1.3 unproven$/,
  ],
  [
    "verified, but out of date",
    { ...OFFERS, tls: { certificates: [authority.issue({ names: [HOST], ...EXPIRED })] } },
    { rule: { level: "verified" }, settings: roots },
    /^broken 451 4\.7\.5 .* not trusted: CERT_HAS_EXPIRED/,
  ],
  [
    "verified, but for another name",
    { ...OFFERS, tls: { certificates: [authority.issue({ names: ["*.other.example"] })] } },
    { rule: { level: "verified" }, settings: roots },
    /^broken 451 4\.7\.5 .* a certificate that is for \*\.other\.example, not mx\.dest\.example/,
  ],
  [
    "verified for a name that the config gives",
    { ...OFFERS, tls: { certificates: [authority.issue({ names: ["a.other.example"] })] } },
    { rule: { level: "verified", names: ["*.other.example"] }, settings: roots },
    /^delivered.*\| TLSv1.3 chain$/,
  ],
  [
    "a fingerprint",
    OFFERS,
    { rule: { level: "fingerprint", fingerprints: [certificate.fingerprintSha256] } },
    /^delivered.*\| TLSv1.3 fingerprint$/,
  ],
  [
    "another fingerprint",
    OFFERS,
    { rule: { level: "fingerprint", fingerprints: ["00"] } },
    /^broken 451 4\.7\.5 .* has a certificate that has the fingerprint [0-9a-f]{64}/,
  ],
  [
    "too old a version",
    { ...OFFERS, tls: { certificates: [certificate], minVersion: "TLSv1.3" } },
    { rule: { level: "required" }, settings: { minVersion: "TLSv1.3" } },
    /^delivered.*\| TLSv1.3 unproven$/,
  ],
];

for (const [name, script, tls, found] of CASES) {
  Deno.test(`TLS: ${name}`, async () => {
    await using made = setup(script, tls);
    assertMatch(await deliver(made), found);
  });
}

Deno.test("TLS: what was offered in plain is forgotten and the client introduces itself again", async () => {
  await using made = setup(OFFERS);
  await deliver(made);
  assertEquals(made.peer.lines.slice(0, 4), [
    "EHLO relay.example",
    "STARTTLS",
    "EHLO relay.example",
    "MAIL FROM:<sender@origin.example>",
  ]);
  assertEquals(made.peer.handshakes[0]?.serverName, HOST);
});

Deno.test("TLS: a connection is kept for the messages that follow", async () => {
  await using made = setup(OFFERS);
  for (let count = 0; count < 3; count++) await deliver(made);
  assertEquals(made.peer.sessions, 1);
});

Deno.test("TLS: a server that declines stays in plain where it may", async () => {
  const script: Script = { ...OFFERS, answers: { STARTTLS: "454 4.7.0 Not now" } };
  await using lenient = setup(script);
  assertEquals(await deliver(lenient), `${STORED} | plain unproven`);
  assertEquals(lenient.peer.sessions, 1);
  await using strict = setup(script, { rule: { level: "required" } });
  assertMatch(
    await deliver(strict),
    /^broken 451 4\.7\.4 .* refused STARTTLS: 454 4\.7\.0 Not now/,
  );
});

Deno.test("TLS: a server that takes leave at STARTTLS is not asked again in plain", async () => {
  await using made = setup({ ...OFFERS, answers: { STARTTLS: "421 4.3.2 Busy" } });
  assertEquals(await deliver(made), "temporary 421 4.3.2 Busy | plain unproven");
  assertEquals(made.peer.sessions, 1);
});

Deno.test("TLS: a server that wants no session inside TLS gets none in plain", async () => {
  const EHLO = { inTurn: ["250-peer\r\n250 STARTTLS", "421 4.3.2 Busy", "250 peer"] };
  await using made = setup({ ...OFFERS, answers: { EHLO } });
  assertMatch(await deliver(made), /^temporary 421 4\.3\.2 Busy/);
  assertEquals(made.peer.messages, []);
});

const BROKEN: readonly [string, Script][] = [
  ["talks nonsense", { ...OFFERS, answers: { STARTTLS: ["220 Go\r\n", "nonsense\r\n"] } }],
  ["closes", { ...OFFERS, answers: { STARTTLS: ["220 Go\r\n", CLOSE] } }],
  ["closes without a reply", { ...OFFERS, answers: { STARTTLS: [CLOSE] } }],
];
for (const [name, { tls: _tls, ...script }] of BROKEN) {
  Deno.test(`TLS: where the handshake fails as the server ${name}, plain will do`, async () => {
    await using made = setup(script);
    assertEquals(await deliver(made), `${STORED} | plain unproven`);
    assertEquals(made.peer.sessions, 2);
  });

  Deno.test(`TLS: where the server ${name}, nothing leaves in plain that must not`, async () => {
    await using made = setup(script, { rule: { level: "required" } });
    assertMatch(await deliver(made), /^broken 451 4\.\d\.\d .*\| plain unproven$/);
    assertEquals(made.peer.messages, []);
  });
}

Deno.test("TLS: plain octets behind the reply to STARTTLS are not taken for the server's", async () => {
  const answers = { STARTTLS: ["220 Go\r\n250-mx\r\n250 AUTH PLAIN\r\n"] };
  await using made = setup({ ...OFFERS, answers }, { rule: { level: "required" } });
  assertMatch(await deliver(made), /^broken 451 4\.5\.0 .* sent something that is no reply/);
});

Deno.test("TLS: from the first octet", async () => {
  const script: Script = { tls: { certificates: [certificate] }, implicitTls: true };
  const settings = { ...roots, implicit: true };
  await using made = setup(script, { rule: { level: "verified" }, settings });
  assertEquals(await deliver(made), `${STORED} | TLSv1.3 chain`);
  assertEquals(made.peer.lines[0], "EHLO relay.example");
  await using plain = setup({}, { rule: { level: "opportunistic" }, settings });
  assertMatch(await deliver(plain), /^broken 451 4\.7\.5 .* failed the TLS handshake/);
});

Deno.test("TLS: the relay shows its certificate", async () => {
  const own = authority.issue({ names: ["relay.example"] });
  const script: Script = {
    ...OFFERS,
    tls: { certificates: [certificate], requestClientCertificates: true, clientCa: roots.ca },
  };
  await using made = setup(script, {
    rule: { level: "required" },
    settings: { clientCertificate: own },
  });
  await deliver(made);
  assertEquals(made.peer.handshakes[0]?.peer?.names, ["relay.example"]);
  assertEquals(made.peer.handshakes[0]?.peer?.authorized, true);
});

Deno.test("TLS: an attempt that is given up during the handshake ends at once", async () => {
  const { promise } = Promise.withResolvers<void>();
  const controller = new AbortController();
  await using made = setup(
    { ...OFFERS, answers: { STARTTLS: ["220 Go\r\n", promise] } },
    { rule: { level: "required" } },
  );
  const delivering = made.deliver(sampleJob(), controller.signal);
  await made.peer.waitForLine("STARTTLS");
  controller.abort();
  assertEquals(inWords(await delivering), ["temporary 451 4.3.2 Attempt was cancelled"]);
});
