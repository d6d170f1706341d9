/** Each key ends where it belongs, with its own value; and how small and large values may be. */
import { assert, assertEquals } from "@std/assert";
import { configJsonSchema } from "../../src/config/json_schema.ts";
import { isHostname, parseHostPort } from "../../src/config/fields.ts";
import { printToml } from "../../src/config/print_toml.ts";
import { load } from "./support.ts";

const SOURCE = await Deno.readTextFile(new URL("every_key.toml", import.meta.url));
const EXPECTED = JSON.parse(
  await Deno.readTextFile(new URL("every_key.json", import.meta.url)),
);

/** The secrets in the file. */
const SECRET =
  /"(?:0123456789abcdef|fedcba9876543210)[\da-f]*"|(?<="password":)"p"|"\/tls\/key.pem"/g;

Deno.test("every key ends in its own place, and in the effective config", async () => {
  const result = await load(SOURCE);
  assert(result.kind === "ok", JSON.stringify(result));
  assertEquals(JSON.parse(JSON.stringify(result.config)), EXPECTED);
  assertEquals(result.config.replies[1], { name: "reply-2", action: "suppress" });
  const shown = printToml(result.effective);
  assertEquals(shown.includes("0123456789abcdef"), false, "no secret is shown");
  const again = await load(shown.replaceAll('"(hidden)"', `"${"x".repeat(32)}"`));
  assert(again.kind === "ok", JSON.stringify(again));
  const masked = JSON.stringify(result.config).replaceAll(SECRET, `"${"x".repeat(32)}"`);
  assertEquals(JSON.parse(JSON.stringify(again.config)), JSON.parse(masked));
});

type Schema = { readonly [Key in string]?: unknown };

/** The bounds of each key, as `1..64` or `1 elements`, with the keys that have them. */
function boundsOf(schema: Schema): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  const visit = (node: Schema, path: string): void => {
    const { minimum, maximum, minItems } = node;
    if (minimum !== undefined || minItems !== undefined) {
      const bounds = minItems === undefined
        ? `${minimum}..${maximum ?? ""}`
        : `${minItems} or more`;
      const paths = found[bounds] ??= [];
      if (!paths.includes(path)) paths.push(path);
    }
    for (const [key, part] of Object.entries(node["properties"] ?? {})) {
      visit(part as Schema, path === "" ? key : `${path}.${key}`);
    }
    for (const part of [...(node["anyOf"] ?? []) as [], ...(node["oneOf"] ?? []) as []]) {
      visit(part, path);
    }
    if (node["items"] !== undefined) visit(node["items"] as Schema, `${path}[]`);
    const { additionalProperties } = node;
    if (typeof additionalProperties === "object") {
      visit(additionalProperties as Schema, `${path}.*`);
    }
  };
  visit(schema, "");
  return found;
}

Deno.test("numbers have these bounds, and lists that may not be empty are these", () => {
  const { "0..": amounts, "1..9007199254740991": counts, ...bounds } = boundsOf(configJsonSchema());
  assertEquals(bounds, {
    "1 or more": [
      ...["listeners", "aliases.*", "auth.mechanisms", "auth.oauth.audience", "queue.retry"],
      ...["delivery.allow", "transports.*.tls_overrides[].tls_names", "transports.*.tls_names"],
      ...["transports.*.source_address", "transports.*.auth.mechanisms", "transports.*.servers"],
      ...["routes", "routes[].match.recipient_domain", "routes[].match.recipient"],
      ...["routes[].match.sender", "routes[].match.listener", "routes[].match.user"],
      ...["routes[].match.header.*", "routes[].weights", "routes[].allow", "shaping[].domain"],
      ...["shaping[].mx", "shaping[].transport", "shaping[].route", "shaping[].warm_up.per_day"],
      ...["replies[].mx", "replies[].domain", "dkim[].from", "arc.listeners", "webhooks[].events"],
      "provider_events.sources[].topics",
    ],
    "0..65535": ["listeners[].port", "admin.port", "provider_events.port"],
    "1..64": ["auth.max_hashing"],
    "0..1000": ["auth.throttle.free_failures", "bounces.soft_limit"],
    "0..9007199254740991": [
      ...["users[].message_size", "limits.message_size", "limits.messages", "limits.session_size"],
      ...["limits.command_line", "queue.spool_threshold", "queue.window_bodies"],
      ...["notifications.return_limit", "routes[].match.min_size", "routes[].match.max_size"],
    ],
    "1..65536": ["limits.recipients"],
    "0..1": ["queue.retry_jitter"],
    "1..65535": ["transports.*.port"],
    "-9..9": ["routes[].match.min_priority", "routes[].match.max_priority"],
    "0..1000000": ["routes[].weights[]"],
    "1..1000000000": ["shaping[].warm_up.per_day[]"],
  });
  assert((amounts ?? []).length > 40 && (counts ?? []).length > 20);
});

/** A document that gives one key a value. */
function withKey(path: string, value: string): string {
  const steps = path.split(".");
  const key = steps.pop();
  const tables: Readonly<Record<string, string>> = {
    listeners: `[[listeners]]\nname = "smtp"\nport = 25\n`,
    replies: `[[replies]]\naction = "retry"\n`,
    users: `[[users]]\nname = "ada"\n`,
    webhooks: `[[webhooks]]\nname = "crm"\nurl = "https://crm.example/"\n`,
    mx: `[transports.mx]\ntype = "mx"\n`,
    "mx.timeouts": `[transports.mx]\ntype = "mx"\n[transports.mx.timeouts]\n`,
    resend: `[transports.resend]\ntype = "resend"\napi_key = "k"\n`,
  };
  const table = steps.join(".");
  return `${tables[table] ?? `[${table}]\n`}${key} = ${value}\n`;
}

const LEAST: readonly (readonly [least: string, less: string, keys: readonly string[]])[] = [
  [`"1s"`, `"999ms"`, [
    ...["listeners.idle_timeout", "listeners.data_timeout", "listeners.session_timeout"],
    ...["queue.expire", "auth.throttle.forget", "notifications.expire", "replies.delay"],
  ]],
  [`["1s"]`, `["999ms"]`, ["queue.retry"]],
  [`"1ms"`, `"0s"`, [
    ...["auth.throttle.delay", "auth.throttle.max_delay", "delivery.down", "delivery.max_down"],
    ...["dns.timeout", "webhooks.timeout", "resend.timeout"],
    ...["connect", "greeting", "hello", "starttls", "auth", "mail", "rcpt", "data", "body", "dot"]
      .map((step) => `mx.timeouts.${step}`),
  ]],
  [`"5s"`, `"4999ms"`, ["queue.lease"]],
  [`"1m"`, `"59s"`, ["admin.session_lifetime", "bounces.address_lifetime", "bounces.soft_window"]],
  [`"64KiB"`, "65535", ["limits.message_size"]],
  ["512", "511", ["limits.command_line"]],
  ["1", "0", ["queue.window_bodies", "users.message_size"]],
];

for (const [least, less, keys] of LEAST) {
  Deno.test(`${least} is the least of ${keys.length} keys, and ${less} is refused`, async () => {
    for (const key of keys) {
      assertEquals(await load(withKey(key, least)).then(({ kind }) => kind), "ok", key);
      const refused = await load(withKey(key, less));
      assert(refused.kind === "invalid", key);
      assertEquals(refused.problems.length, 1, key);
    }
  });
}

Deno.test("what a duration or a size has to be is said with the least", async () => {
  const rows = [
    ["queue.lease", `"1s"`, `a duration such as "30s", "5m" or "1h30m", at least 5s`],
    ["dns.timeout", `"0s"`, `a duration such as "30s", "5m" or "1h30m", not zero`],
    ["queue.delay_warning", `"x"`, `a duration such as "30s", "5m" or "1h30m"`],
    ["limits.command_line", "1", `a size such as "64KiB" or "25MiB", at least 512 octets`],
    ["queue.spool_threshold", `"x"`, `a size such as "64KiB" or "25MiB"`],
  ] as const;
  for (const [key, value, expected] of rows) {
    const refused = await load(withKey(key, value));
    assert(refused.kind === "invalid", key);
    assertEquals(refused.problems.map((problem) => problem.expected), [expected]);
  }
});

Deno.test("host names: letters, digits and hyphens in labels of 63, 253 in all, no address", () => {
  const label = "a".repeat(63);
  const good = [
    "a",
    "A-1.example",
    "1.example",
    label,
    [label, label, label, "b".repeat(61)].join("."),
  ];
  const bad = [
    ...["", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "ä", "a b", "192.0.2.1", "::1"],
    ...[`${label}a`, [label, label, label, "b".repeat(62)].join(".")],
  ];
  for (const name of good) assertEquals(isHostname(name), true, name);
  for (const name of bad) assertEquals(isHostname(name), false, name);
});

Deno.test("hosts with ports", () => {
  const rows: [text: string, host: string | null, port?: number][] = [
    ["mail.example", "mail.example", 25],
    ["mail.example:1", "mail.example", 1],
    ["mail.example:65535", "mail.example", 65535],
    ["192.0.2.1:26", "192.0.2.1", 26],
    ["[2001:DB8::1]", "2001:DB8::1", 25],
    ["[::1]:26", "::1", 26],
    ...["mail.example:0", "mail.example:65536", "mail.example:", "::1", "[mail.example]:25"]
      .map((text): [string, null] => [text, null]),
    ...["", ":25", "a b:25", "[::1", "mail.example:25:25", "mail.example:123456"]
      .map((text): [string, null] => [text, null]),
  ];
  for (const [text, host, port] of rows) {
    const expected = host === null ? null : { host, port };
    assertEquals(
      parseHostPort(text, { defaultPort: 25 }),
      expected as typeof expected & null,
      text,
    );
  }
});
