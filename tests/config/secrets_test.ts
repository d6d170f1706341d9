import { assert, assertEquals } from "@std/assert";
import { formatProblem } from "../../src/config/problems.ts";
import { printToml } from "../../src/config/print_toml.ts";
import { load } from "./support.ts";

const SECRET = "hunter2-hunter2-hunter2";

/** Configurations with a secret where it belongs, where it is wrong, and where nobody expects it. */
const CONFIGS: Readonly<Record<string, string>> = {
  "a key of bounces": `bounces = { domains = ["b.test"], key = "${SECRET}" }`,
  "an old key of bounces": `bounces = { domains = ["b.test"], key = "x", old_key = "${SECRET}" }`,
  "a list of keys": `bounces = { domains = ["b.test"], key = ["${SECRET}"] }`,
  "a key of ARC": `arc = { domain = "a.test", selector = "s", key = "${SECRET}" }`,
  "a proxy": smarthost(`proxy = "socks5://user:${SECRET}@proxy.test:1080"`),
  "a proxy that is none": smarthost(`proxy = "socks5://user:${SECRET}@bad host"`),
  "a password with a percent sign": smarthost(`proxy = "http://user:${SECRET}%zz@proxy.test"`),
  "proxies": smarthost(`proxy = ["socks5://user:${SECRET}@proxy.test"]`),
  "an unknown key": smarthost(`pasword = "${SECRET}"`),
  "a webhook with a password": `webhooks = [{ name = "a", url = "https://u:${SECRET}@h.test/" }]`,
  "a webhook that is none": `webhooks = [{ name = "a", url = "ftp://u:${SECRET}@h.test/" }]`,
  "a transport with a password":
    `transports.out = { type = "webhook", url = "https://u:${SECRET}@h/" }`,
  "Postmark": source(`provider = "postmark", secret = "${SECRET}"`),
  "Mailgun": source(`provider = "mailgun", signing_key = "${SECRET}"`),
  "Resend": source(`provider = "resend", signing_secret = "${SECRET}"`),
  "a source of no provider": source(`provider = "nobody", secret = "${SECRET}"`),
  "TOML that is none": `bounces.key = ${SECRET}`,
  "TOML that ends too early": `bounces.key = "${SECRET}`,
  "a key given twice": `bounces.key = "${SECRET}"\nbounces.key = "${SECRET}"`,
};

function smarthost(more: string): string {
  return `transports.out = { type = "smarthost", hosts = ["mx.test:25"], ${more} }`;
}

function source(more: string): string {
  return `provider_events = { sources = [{ name = "a", ${more} }] }`;
}

for (const [what, toml] of Object.entries(CONFIGS)) {
  Deno.test(`no secret is printed: ${what}`, async () => {
    const result = await load(toml);
    const said = result.kind === "ok"
      ? printToml(result.effective) + JSON.stringify(result.effective)
      : result.problems.map(formatProblem).join("\n") + JSON.stringify(result.problems);
    assert(said !== "" && !said.includes("hunter2"), said);
  });
}

Deno.test("an address without its credentials is still told", async () => {
  const result = await load(CONFIGS["a webhook with a password"] ?? "");
  assert(result.kind === "ok");
  const [webhook] = result.effective["webhooks"] as { url: string }[];
  assertEquals(webhook?.url, "https://(hidden)@h.test/");
});
