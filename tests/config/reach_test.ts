/** What `check` refuses because nobody would get through, and what it warns of. */
import { assertEquals } from "@std/assert";
import { formatProblem, formatWarning } from "../../src/config/problems.ts";
import { load } from "./support.ts";

/** The problems and warnings of a config, without the file and position of each. */
async function findings(toml: string): Promise<readonly string[]> {
  const result = await load(toml);
  const lines = result.kind === "ok"
    ? result.warnings.map(formatWarning)
    : result.problems.map(formatProblem);
  return lines.map((line) => line.replace(/^[^:]*:\d+:\d+: /, ""));
}

const PAIR = `[tls]\ncertificates = [{ certificate = "a.crt", key = "a.key" }]\n`;
const listener = (lines: string): string => `[[listeners]]\nname = "in"\n${lines}\n`;
const smarthost = (lines: string): string => `[transports.out]\ntype = "smarthost"\n${lines}\n`;

const REFUSED: readonly [name: string, toml: string, problem: string][] = [
  [
    "AUTH required where none is offered",
    listener(`port = 25\nauth = "required"`),
    `listeners[0].auth: expected tls, or auth_without_tls = true: AUTH is not offered without ` +
    `TLS, got "required" without TLS`,
  ],
  [
    "AUTH required with TLS switched off",
    PAIR + listener(`port = 25\nauth = "required"\ntls = "none"`),
    `listeners[0].auth: expected tls, or auth_without_tls = true: AUTH is not offered without ` +
    `TLS, got "required" without TLS`,
  ],
  [
    "port 465 with STARTTLS",
    PAIR + listener("port = 465"),
    `listeners[0].tls: expected "implicit", because clients begin with TLS on port 465, got ` +
    `"starttls"`,
  ],
  [
    "a server's port 465 without TLS",
    smarthost(`hosts = ["smtp.example.net:465"]`),
    `transports.out.hosts[0]: expected tls = "implicit", because servers begin with TLS on port ` +
    `465, got "smtp.example.net:465"`,
  ],
  [
    "a login that no connection may carry",
    smarthost(
      `hosts = ["smtp.example.net"]\ntls = "none"\nauth.username = "a"\nauth.password = "b"`,
    ),
    `transports.out.tls: expected a level with TLS, or auth.allow_plain = true, got "none" with a ` +
    "login",
  ],
  [
    "the relay itself as server, by the default listener",
    smarthost(`hosts = ["localhost:2525"]`),
    "transports.out.hosts[0]: expected another server than this relay, which would send " +
    `everything to itself, got "localhost:2525"`,
  ],
  [
    "the relay itself as server, by an address among all",
    listener(`address = "0.0.0.0"\nport = 25`) + smarthost(`hosts = ["mx.example.net", "[::1]"]`),
    "transports.out.hosts[1]: expected another server than this relay, which would send " +
    `everything to itself, got "[::1]"`,
  ],
  [
    "the relay itself as server, by its name",
    `hostname = "relay.example.net"\n` + listener(`address = "192.0.2.1"\nport = 25`) +
    smarthost(`hosts = ["Relay.Example.net"]`),
    "transports.out.hosts[0]: expected another server than this relay, which would send " +
    `everything to itself, got "Relay.Example.net"`,
  ],
];

for (const [name, toml, problem] of REFUSED) {
  Deno.test(`refused: ${name}`, async () => assertEquals(await findings(toml), [problem]));
}

const OPEN = listener(`address = "0.0.0.0"\nport = 25`);
const WARNED: readonly [name: string, toml: string, start: string | null][] = [
  [
    "everybody may relay",
    OPEN + `[relay]\nnetworks = ["10.0.0.0/8", "0.0.0.0/0"]`,
    "relay.networks[1]: warning: Clients of listener in (0.0.0.0 port 25) in 0.0.0.0/0 may send",
  ],
  [
    "half of IPv6 may relay",
    listener(`address = "::"\nport = 25`) + `[relay]\nnetworks = ["2000::/3"]`,
    "relay.networks[0]: warning: Clients of listener in (:: port 25) in 2000::/3 may send",
  ],
  [
    "mail for every domain is accepted",
    OPEN + `[relay]\ndomains = ["*"]`,
    "relay.domains[0]: warning: Clients of listener in (0.0.0.0 port 25) may send to any domain",
  ],
  [
    "passwords without TLS",
    listener(`address = "192.0.2.1"\nport = 25\nauth_without_tls = true`),
    "listeners[0].auth_without_tls: warning: Passwords can be read on the network",
  ],
  [
    "a login in the clear",
    smarthost(
      `hosts = ["smtp.example.net"]\nauth.username = "a"\nauth.password = "b"\n` +
        `auth.allow_plain = true`,
    ),
    "transports.out.auth.allow_plain: warning: The login may be read on the network",
  ],
  ["only this machine reaches it", `[relay]\nnetworks = ["0.0.0.0/0"]`, null],
  [
    "a login is required",
    PAIR + listener(`address = "0.0.0.0"\nport = 587\nauth = "required"`) +
    `[relay]\nnetworks = ["0.0.0.0/0"]`,
    null,
  ],
  ["private networks", OPEN + `[relay]\nnetworks = ["10.0.0.0/8", "fd00::/8"]`, null],
  [
    "a login to this machine",
    smarthost(
      `hosts = ["127.0.0.1:26"]\nauth.username = "a"\nauth.password = "b"\n` +
        `auth.allow_plain = true`,
    ),
    null,
  ],
  ["port 465 behind a balancer", listener(`port = 465\nproxy_protocol = ["10.0.0.1"]`), null],
];

for (const [name, toml, start] of WARNED) {
  Deno.test(`${start === null ? "not warned" : "warned"}: ${name}`, async () => {
    const found = await findings(toml);
    assertEquals(found.map((line) => line.slice(0, start?.length)), start === null ? [] : [start]);
  });
}
