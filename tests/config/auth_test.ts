import { assert, assertEquals } from "@std/assert";
import { formatProblem } from "../../src/config/problems.ts";
import { printToml } from "../../src/config/print_toml.ts";
import type { Config } from "../../src/config/schema.ts";
import { formatUsersFile, parseUsersFile } from "../../src/config/users_file.ts";
import { load } from "./support.ts";

const HASH = `$scrypt$ln=14,r=8,p=5$c2FsdHNhbHRzYWx0c2FsdA$${"A".repeat(43)}`;
const KEYS = `SCRAM-SHA-256$100000:c2FsdHNhbHRzYWx0c2FsdA==$${"B".repeat(43)}=:${"C".repeat(43)}=`;
const FINGERPRINT = "ab".repeat(32);

async function configOf(source: string): Promise<Config> {
  const result = await load(source);
  assert(result.kind === "ok", JSON.stringify(result));
  return result.config;
}

async function problemsOf(source: string): Promise<string[]> {
  const result = await load(source);
  return result.kind === "ok" ? [] : result.problems.map(formatProblem);
}

Deno.test("without a word about it nobody is known", async () => {
  const { auth, users } = await configOf("");
  assertEquals(users, []);
  assertEquals(auth, {
    usersFile: null,
    mechanisms: null,
    maxHashing: 2,
    cacheMs: 300_000,
    throttle: { freeFailures: 3, delayMs: 1000, maxDelayMs: 30_000, forgetMs: 900_000 },
    oauth: null,
    certificates: [],
  });
});

Deno.test("users, certificates and tokens are read", async () => {
  const { auth, users } = await configOf(`
[auth]
users_file = "/etc/posthouse/users.toml"
mechanisms = ["PLAIN"]

[auth.oauth]
type = "jwks"
url = "https://login.example.net/keys"
issuer = "https://login.example.net/"
audience = ["smtp"]

[[auth.certificates]]
user = "printer"
fingerprint = "${FINGERPRINT}"

[[users]]
name = "printer"
password = "${HASH}"
scram = "${KEYS}"
senders = ["*@example.net", ""]
message_size = "10MiB"
messages_per_hour = 5

[[users.devices]]
name = "second-floor"
password = "${HASH}"
`);
  assertEquals(users, [{
    name: "printer",
    enabled: true,
    password: HASH,
    scram: KEYS,
    devices: [{ name: "second-floor", password: HASH, scram: null }],
    senders: ["*@example.net", ""],
    senderCheck: "both",
    messageSizeBytes: 10 * 1024 * 1024,
    messagesPerHour: 5,
    messagesPerDay: null,
  }]);
  assertEquals(auth.oauth, {
    type: "jwks",
    url: "https://login.example.net/keys",
    issuer: "https://login.example.net/",
    audience: ["smtp"],
    userClaim: "email",
    scope: null,
    unlistedUsers: false,
    timeoutMs: 5000,
    cacheMs: 3_600_000,
    clockSkewMs: 60_000,
  });
  assertEquals(auth.certificates, [
    { user: "printer", fingerprint: FINGERPRINT, subject: null, san: null },
  ]);
});

Deno.test("no hash and no secret is printed", async () => {
  const result = await load(`
[auth.oauth]
type = "introspection"
url = "http://127.0.0.1:8080/introspect"
client_id = "relay"
client_secret = "very secret"

[[users]]
name = "alice"
password = "${HASH}"
scram = "${KEYS}"
devices = [{ name = "phone", password = "${HASH}" }]
`);
  assert(result.kind === "ok");
  const printed = printToml(result.effective);
  for (const secret of [HASH, KEYS, "very secret"]) assert(!printed.includes(secret), secret);
});

const WRONG: readonly (readonly [string, string, string])[] = [
  [
    "a password in the clear",
    `[[users]]\nname = "alice"\npassword = "secret"`,
    `posthouse.toml:3:12: users[0].password: expected a hash made by "posthouse user add", ` +
    `such as "$scrypt$ln=14,r=8,p=5$…", got (hidden)`,
  ],
  [
    "a certificate without anything to know it by",
    `[[auth.certificates]]\nuser = "alice"`,
    "posthouse.toml:1:8: auth.certificates[0]: expected exactly one of fingerprint, subject " +
    "and san, got a table",
  ],
  [
    "a token issuer without encryption",
    `[auth.oauth]\ntype = "jwks"\nurl = "http://login.example.net/"\nissuer = "a"\naudience = ["b"]`,
    `posthouse.toml:3:7: auth.oauth.url: expected an https address, ` +
    `got "http://login.example.net/"`,
  ],
  [
    "a mechanism that does not exist",
    `[auth]\nmechanisms = ["CRAM-MD5"]`,
    `posthouse.toml:2:15: auth.mechanisms[0]: expected one of "EXTERNAL", "SCRAM-SHA-256", ` +
    `"OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN", got "CRAM-MD5"`,
  ],
];

for (const [what, source, problem] of WRONG) {
  Deno.test(`${what} is refused`, async () => {
    assertEquals(await problemsOf(source), [problem]);
  });
}

Deno.test("a users file is written and read back", () => {
  const document = {
    decoy_key: `${"D".repeat(43)}=`,
    users: [
      { name: "alice", password: HASH, devices: [{ name: "phone", password: HASH, scram: KEYS }] },
      { name: "bob", enabled: false, senders: ["bob@example.net"], message_size: "1MiB" },
    ],
  };
  const result = parseUsersFile(formatUsersFile(document), { file: "users.toml" });
  assert(result.kind === "ok");
  assertEquals(result.document, document);
  assertEquals(result.decoyKey, document.decoy_key);
  assertEquals(result.users.map(({ name, enabled }) => [name, enabled]), [
    ["alice", true],
    ["bob", false],
  ]);
  const empty = parseUsersFile(formatUsersFile({}), { file: "users.toml" });
  assert(empty.kind === "ok");
  assertEquals(empty.users, []);
});

Deno.test("mistakes in a users file have their place", () => {
  const problems = (source: string): string[] => {
    const result = parseUsersFile(source, { file: "users.toml" });
    return result.kind === "ok" ? [] : result.problems.map(formatProblem);
  };
  assertEquals(problems(`[[users]]\nname = "a b"`), [
    `users.toml:2:8: users[0].name: expected a name without white space, of at most 255 ` +
    `characters, got "a b"`,
  ]);
  assertEquals(problems(`[[users]]\nname = "a"\nscrm = "x"`).length, 1);
  assertEquals(problems(`users = [`)[0]?.startsWith("users.toml:1:"), true);
});
