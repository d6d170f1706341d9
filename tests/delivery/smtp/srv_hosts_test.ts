import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../../src/base/random.ts";
import { submissionServers } from "../../../src/delivery/smtp/srv_hosts.ts";
import type { SrvRecord } from "../../../src/net/resolver.ts";
import { smtpServices } from "../../support/smtp_services.ts";

function record(text: string): SrvRecord {
  const [priority, weight, port, target = ""] = text.split(" ");
  return { priority: Number(priority), weight: Number(weight), port: Number(port), target };
}

/** How often each target comes first among `count` lookups. */
async function firsts(
  texts: readonly string[],
  { implicit = false, count = 1 }: { implicit?: boolean; count?: number } = {},
): Promise<Map<string, number>> {
  const name = `${implicit ? "_submissions" : "_submission"}._tcp.dest.example`;
  using services = smtpServices({ names: { srv: { [name]: texts.map(record) } } });
  const random = seededRandom(7);
  const seen = new Map<string, number>();
  for (let index = 0; index < count; index++) {
    const { resolver } = services;
    const found = await submissionServers("dest.example", { implicit, resolver, random });
    assert(found.kind === "servers");
    assertEquals(found.servers.map(({ rank }) => rank), found.servers.map((_, rank) => rank));
    const { host = "", port } = found.servers[0] ?? {};
    const place = `${host}:${port}`;
    seen.set(place, (seen.get(place) ?? 0) + 1);
  }
  return seen;
}

Deno.test("SRV: a lower priority comes first, whatever the weights", async () => {
  const seen = await firsts(["20 1000 587 b.example", "10 0 587 a.example"], { count: 20 });
  assertEquals([...seen], [["a.example:587", 20]]);
});

Deno.test("SRV: one priority is shared by weight", async () => {
  const seen = await firsts(["0 30 587 a.example", "0 10 587 b.example", "0 0 587 c.example"], {
    count: 4000,
  });
  const share = (name: string): number => (seen.get(`${name}:587`) ?? 0) / 4000;
  assert(Math.abs(share("a.example") - 0.75) < 0.05, `${share("a.example")}`);
  assert(Math.abs(share("b.example") - 0.25) < 0.05, `${share("b.example")}`);
  assert(share("c.example") < 0.06); // RFC 2782: a very small chance
});

Deno.test("SRV: TLS from the first octet has records of its own", async () => {
  assertEquals([...(await firsts(["0 0 465 a.example"], { implicit: true })).keys()], [
    "a.example:465",
  ]);
});
