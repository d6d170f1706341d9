import { assert, assertEquals } from "@std/assert";
import { formatProblem } from "../../src/config/problems.ts";
import { printToml } from "../../src/config/print_toml.ts";
import { load } from "./support.ts";

const proxied = (proxy: string): string =>
  `[transports.mx]\ntype = "mx"\nproxy = ${JSON.stringify(proxy)}\n`;

async function proxyOf(proxy: string) {
  const loaded = await load(proxied(proxy));
  assert(loaded.kind === "ok", proxy);
  return loaded.config.transports["mx"]?.proxy;
}

Deno.test("a proxy is read with its port and credentials", async () => {
  assertEquals(await proxyOf("socks5://relay:s%40cret@proxy.example.net:1081"), {
    kind: "socks5",
    host: "proxy.example.net",
    port: 1081,
    credentials: { username: "relay", password: "s@cret" },
  });
  const none = { credentials: null };
  assertEquals(await proxyOf("http://[2001:db8::1]/"), {
    ...{ kind: "http", host: "2001:db8::1", port: 3128, ...none },
  });
  assertEquals(await proxyOf("SOCKS5://192.0.2.1"), {
    ...{ kind: "socks5", host: "192.0.2.1", port: 1080, ...none },
  });
});

Deno.test("what is no proxy is refused without being shown", async () => {
  const wrong = ["proxy.example:1080", "socks4://proxy", "socks5://:0", "socks5://a:%zz@proxy"];
  for (const proxy of wrong) {
    const loaded = await load(proxied(proxy));
    assert(loaded.kind === "invalid", proxy);
    assertEquals(loaded.problems.map(formatProblem), [
      "posthouse.toml:3:9: transports.mx.proxy: expected a proxy such as " +
      `"socks5://user:secret@proxy.example.net:1080" or "http://proxy.example.net:3128", ` +
      "got (hidden)",
    ]);
  }
});

Deno.test("the credentials of a proxy are not printed", async () => {
  const loaded = await load(proxied("socks5://relay:s3cret@proxy.example.net"));
  assert(loaded.kind === "ok");
  assert(!printToml(loaded.effective).includes("s3cret"));
});

Deno.test("transports connect from one address of each kind", async () => {
  const sources = async (value: string) => {
    const toml = `[transports.out]\ntype = "smarthost"\nhosts = ["mx.example"]\n`;
    const loaded = await load(`${toml}source_address = ${value}\n`);
    return loaded.kind === "ok"
      ? loaded.config.transports["out"]?.sourceAddresses
      : loaded.problems.map(({ path, got }) => `${path} ${got}`);
  };
  assertEquals(await sources(`"192.0.2.1"`), ["192.0.2.1"]);
  assertEquals(await sources(`["2001:db8::1", "192.0.2.1"]`), ["2001:db8::1", "192.0.2.1"]);
  assertEquals(await sources(`["192.0.2.1", "192.0.2.2"]`), [
    "transports.out.source_address a list",
  ]);
  assertEquals(await sources(`"mx.example"`), [`transports.out.source_address "mx.example"`]);
  assertEquals(await sources("[]"), ["transports.out.source_address an empty list"]);
});

Deno.test("a transport to an API has an origin, too", async () => {
  const loaded = await load(
    `[transports.api]\ntype = "resend"\napi_key = "k"\n` +
      `source_address = "192.0.2.1"\nproxy = "http://proxy.example"\n`,
  );
  assert(loaded.kind === "ok");
  const { api } = loaded.config.transports;
  assert(api?.type === "resend");
  assertEquals(api.provider, { api_key: "k" });
  assertEquals(api.sourceAddresses, ["192.0.2.1"]);
  assertEquals(api.proxy?.host, "proxy.example");
});
