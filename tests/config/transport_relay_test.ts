import { assert, assertEquals } from "@std/assert";
import { formatProblem } from "../../src/config/problems.ts";
import { printToml } from "../../src/config/print_toml.ts";
import { load } from "./support.ts";

const SES = `
[transports.ses]
type = "ses"
region = "eu-central-1"
access_key_id = "AKID"
secret_access_key = "written-in-the-file"
timeout = "90s"

[transports.mailgun]
type = "mailgun"
domain = "mg.example.net"
api_key = { env = "MAILGUN_KEY" }

[[routes]]
transports = ["ses", "mailgun"]
raw_only = true
`;

Deno.test("the table of a provider is handed to it with its defaults", async () => {
  const loaded = await load(SES, { env: { MAILGUN_KEY: "from-elsewhere" } });
  assert(loaded.kind === "ok");
  assertEquals(loaded.config.transports["mailgun"], {
    type: "mailgun",
    provider: { domain: "mg.example.net", api_key: "from-elsewhere", region: "us" },
    timeoutMs: 300_000,
    maxConcurrency: null,
    sourceAddresses: null,
    proxy: null,
  });
  const { ses } = loaded.config.transports;
  assert(ses?.type === "ses");
  assertEquals(ses.timeoutMs, 90_000);
  assertEquals(loaded.config.routes[0]?.rawOnly, true);
});

Deno.test("no secret of a provider is printed", async () => {
  const loaded = await load(SES, { env: { MAILGUN_KEY: "from-elsewhere" } });
  assert(loaded.kind === "ok");
  const printed = printToml(loaded.effective);
  assert(printed.includes(`access_key_id = "AKID"`));
  assert(printed.includes(`secret_access_key = "(hidden)"`));
  assert(printed.includes(`api_key = { env = "MAILGUN_KEY" }`));
  assert(!printed.includes("written-in-the-file") && !printed.includes("from-elsewhere"));
});

Deno.test("problems in the table of a provider name its keys and keep its secrets", async () => {
  const loaded = await load(
    `[transports.out]\ntype = "mailgun"\ndomain = "mg.example.net"\napi_key = "with space"\n` +
      `reigon = "eu"\n`,
  );
  assert(loaded.kind === "invalid");
  assertEquals(loaded.problems.map(formatProblem), [
    "posthouse.toml:4:11: transports.out.api_key: expected an API key, got (hidden)",
    "posthouse.toml:5:1: transports.out.reigon: expected one of domain, api_key, region, tags, " +
    `base_url, type, timeout, max_concurrency, source_address, proxy, got "reigon" (did you mean "region"?)`,
  ]);
});
