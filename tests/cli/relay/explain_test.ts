import { assertEquals, assertStringIncludes } from "@std/assert";
import { tempFolder } from "../../support/peers.ts";
import { run } from "../support.ts";

const CONFIG = `
hostname = "relay.test"
[transports.api]
type = "sendgrid"
api_key = "k"
[transports.small]
type = "graph"
tenant = "t"
user = "a@b.test"
client_id = "c"
client_secret = "s"
[transports.hook]
type = "webhook"
url = "https://hook.test/in"
[transports.parsed]
type = "webhook"
url = "https://hook.test/parsed"
format = "parsed"
[transports.host]
type = "smarthost"
hosts = ["127.0.0.1:9"]
[[routes]]
name = "tenant"
match = { header = { "X-Tenant" = ["acme"] } }
transports = ["api", "small", "hook", "host", "parsed"]
raw_only = RAW_ONLY
[[routes]]
name = "rest"
transports = ["host"]
`;

const MESSAGE = "From: Ada <ada@source.test>\r\nSender: bob@source.test\r\nX-Tenant: acme\r\n" +
  "To: you@sink.test\r\nDKIM-Signature: v=1\r\nSubject: s\r\n" +
  'Content-Type: multipart/signed; boundary="b"\r\n\r\n--b\r\n\r\ntext\r\n--b--\r\n';

for (const rawOnly of [true, false]) {
  Deno.test(`explain tells what each transport would lose of a message, raw_only = ${rawOnly}`, async () => {
    await using folder = await tempFolder();
    const config = `${folder.path}/posthouse.toml`;
    const message = `${folder.path}/letter.eml`;
    await Deno.writeTextFile(config, CONFIG.replace("RAW_ONLY", String(rawOnly)));
    await Deno.writeTextFile(message, MESSAGE);
    const args = [
      "explain",
      "you@sink.test",
      "--offline",
      "--config",
      config,
      "--message",
      message,
    ];
    const { code, out } = await run(args);
    assertEquals(code, 0);
    const ways = out.split(/\n\d\. /).slice(1).map((way) => /message: (.*)/.exec(way)?.[1]);
    const lost = "DKIM-Signature, multipart/signed, Sender";
    const [api, small, hook, host, parsed] = ways;
    const words = (lost: string): string =>
      rawOnly
        ? `refused, the next transport is tried: raw_only lets nothing be lost (${lost})`
        : `changed: ${lost}`;
    assertEquals(api, words(lost));
    assertEquals(parsed, words("DKIM-Signature, multipart/signed"));
    assertEquals([small, hook], ["nothing is lost", "nothing is lost"]);
    assertEquals(host, "as it is, or encoded for what the next hop takes");
    const json = JSON.parse((await run([...args, "--json"])).out);
    assertEquals([json.route, json.rawOnly], ["tenant", rawOnly]);
    assertEquals(json.transports[0].message.kind, rawOnly ? "refused" : "carried");
    assertEquals(json.transports[0].message.losses[2], { kind: "fields", what: "Sender" });
    assertEquals(json.transports[3].message, null);
    await Deno.writeTextFile(message, MESSAGE + "x".repeat(4_000_000));
    const large = await run(args);
    assertStringIncludes(large.out, "refused, the next transport is tried: 552 5.3.4 ");
    const missing = await run([...args.slice(0, -1), `${folder.path}/none.eml`]);
    assertEquals(missing.code, 2);
    assertStringIncludes(missing.err, "Cannot read ");
  });
}
