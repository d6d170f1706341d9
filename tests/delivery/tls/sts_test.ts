import { assertEquals } from "@std/assert";
import { MtaSts, type MtaStsOptions } from "../../../src/delivery/tls/sts.ts";
import { fetchStsPolicy } from "../../../src/delivery/tls/sts_fetch.ts";
import { fetchFrom, webFetch } from "../../../src/net/http_fetch.ts";
import { openMemoryStore } from "../../../src/queue/memory/store.ts";
import { testAuthority } from "../../support/certificates.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { freePort } from "../../support/peers.ts";
import { smtpServices } from "../../support/smtp_services.ts";

const POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.dest.example\r\nmax_age: 604800\r\n";
const FOUND = {
  kind: "policy",
  policy: { mode: "enforce", mx: ["mx.dest.example"], maxAgeMs: 604_800_000 },
} as const;
const DAY_MS = 24 * 3600_000;

/** A finder in a world that a test changes: the TXT records and the file that is served. */
class World implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly fetched: string[] = [];
  txt: readonly string[] | null | undefined = ["v=STSv1; id=1;"];
  response: () => Response = () => new Response(POLICY, TEXT);
  readonly sts: MtaSts;

  constructor(
    shelf: MtaStsOptions["shelf"] = null,
    onError: (error: unknown) => void = (error) => reportError(error),
  ) {
    this.sts = new MtaSts({
      clock: this.clock,
      shelf,
      resolver: {
        txt: (name) =>
          smtpServices({ names: { txt: this.txt === undefined ? {} : { [name]: this.txt } } })
            .resolver.txt(name),
      },
      fetch: (url, { redirect }) => {
        this.fetched.push(`${url} ${redirect}`);
        try {
          return Promise.resolve(this.response());
        } catch (error) {
          return Promise.reject(error);
        }
      },
      onError,
    });
  }

  find() {
    return this.sts.find("dest.example");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sts[Symbol.asyncDispose]();
  }
}

const TEXT = { headers: { "content-type": "text/plain; charset=utf-8" } };

Deno.test("MTA-STS: a policy is fetched once from its place and kept", async () => {
  await using world = new World();
  assertEquals(await Promise.all([world.find(), world.find()]), [FOUND, FOUND]);
  assertEquals(await world.find(), FOUND);
  assertEquals(world.fetched, [
    "https://mta-sts.dest.example/.well-known/mta-sts.txt manual",
  ]);
});

Deno.test("MTA-STS: a domain without a record is asked for no policy", async () => {
  for (const txt of [undefined, [], null, ["v=spf1 -all"], ["v=STSv1; id=1", "v=STSv1; id=2"]]) {
    await using world = new World();
    world.txt = txt;
    assertEquals(await world.find(), { kind: "none" });
    assertEquals(world.fetched, []);
  }
});

Deno.test("MTA-STS: what is kept holds while records and files are hidden", async () => {
  await using world = new World();
  await world.find();
  world.response = () => {
    throw new TypeError("no such host");
  };
  for (const txt of [undefined, null, ["v=STSv1; id=2;"]]) {
    world.txt = txt;
    assertEquals(await world.find(), FOUND);
  }
  await world.clock.advance(604_800_000);
  world.txt = undefined;
  assertEquals(await world.find(), { kind: "none" });
});

Deno.test("MTA-STS: a policy that is kept holds as often as the new one cannot be had", async () => {
  await using world = new World();
  await world.find();
  world.txt = ["v=STSv1; id=2;"];
  world.response = () => new Response("not here", { ...TEXT, status: 404 });
  for (let count = 0; count < 3; count++) assertEquals(await world.find(), FOUND);
  assertEquals(world.fetched.length, 2);
});

Deno.test("MTA-STS: a new id brings a new policy, and mode none withdraws it", async () => {
  await using world = new World();
  await world.find();
  world.txt = ["v=STSv1; id=2;"];
  world.response = () => new Response("version: STSv1\nmode: none\nmax_age: 86400\n", TEXT);
  assertEquals(await world.find(), { kind: "none" });
  assertEquals(world.fetched.length, 2);
});

Deno.test("MTA-STS: after a failure nobody asks again for a while", async () => {
  await using world = new World();
  world.response = () => new Response("not here", { ...TEXT, status: 404 });
  for (let count = 0; count < 3; count++) {
    assertEquals(await world.find(), { kind: "failed", type: "sts-policy-fetch-error" });
  }
  assertEquals(world.fetched.length, 1);
  world.response = () => new Response(POLICY, TEXT);
  await world.clock.advance(300_000);
  assertEquals(await world.find(), FOUND);
});

const BAD: readonly [name: string, response: () => Response, type: string][] = [
  ["a redirection", () => new Response(null, { status: 302 }), "sts-policy-fetch-error"],
  [
    "another kind of file",
    () => new Response(POLICY, { headers: { "content-type": "text/html" } }),
    "sts-policy-invalid",
  ],
  ["a file too large", () => new Response("x".repeat(70_000), TEXT), "sts-policy-fetch-error"],
  ["no policy", () => new Response("hello", TEXT), "sts-policy-invalid"],
];
for (const [name, response, type] of BAD) {
  Deno.test(`MTA-STS: ${name} is no policy`, async () => {
    await using world = new World();
    world.response = response;
    assertEquals(await world.find(), { kind: "failed", type } as never);
  });
}

Deno.test("MTA-STS: a policy is fetched anew once a day, without anybody waiting", async () => {
  await using world = new World();
  await world.find();
  await world.clock.advance(DAY_MS + 1);
  assertEquals(await world.find(), FOUND);
  await world.sts[Symbol.asyncDispose]();
  assertEquals(world.fetched.length, 2);
});

Deno.test("MTA-STS: policies outlive the process, in the store, for as long as they hold", async () => {
  await using store = openMemoryStore({ clock: new ManualClock() });
  const { shelf } = store;
  {
    await using world = new World(shelf);
    await world.find();
  }
  const [entry] = await shelf.list({ space: "mta-sts", limit: 10 });
  const endsAtMs = new ManualClock().now() + 604_800_000;
  assertEquals([entry?.key, entry?.expiresAtMs], ["dest.example", endsAtMs]);
  {
    await using world = new World(shelf);
    world.txt = null;
    assertEquals(await world.find(), FOUND);
    assertEquals(world.fetched, []);
  }
  await using world = new World(shelf);
  await world.clock.advance(604_800_000);
  world.txt = null;
  assertEquals(await world.find(), { kind: "none" });
});

Deno.test("MTA-STS: what cannot be read from the store is as good as not there", async () => {
  await using store = openMemoryStore();
  for (const value of ["{", "[1]", `{"policy":{"mode":"enforce"},"id":"1"}`]) {
    await store.shelf.put("mta-sts", { key: "dest.example", value, expiresAtMs: null });
    await using world = new World(store.shelf);
    world.txt = undefined;
    assertEquals(await world.find(), { kind: "none" });
  }
});

Deno.test("MTA-STS: a store that fails keeps nobody from finding policies", async () => {
  const broken = () => Promise.reject(new Error("disk"));
  const errors: unknown[] = [];
  const shelf = { list: broken, put: broken };
  {
    await using world = new World(shelf, (error) => errors.push(error));
    assertEquals(await world.find(), FOUND);
  }
  assertEquals(errors.length, 2);
});

Deno.test("MTA-STS: failures are told apart in the words of reports", async () => {
  const authority = testAuthority();
  const { certificate: cert, key } = authority.issue({ names: ["localhost"] });
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen() {} },
    () => new Response(POLICY, TEXT),
  );
  const { port } = server.addr;
  using own = fetchFrom({});
  const visit = webFetch(own.fetch);
  const failureOf = async (
    fetch: MtaStsOptions["fetch"],
  ) => (await fetchStsPolicy("dest.example", { fetch, clock: new ManualClock() }));
  assertEquals(await failureOf((_, init) => visit(`https://localhost:${port}/`, init)), {
    ...{ kind: "failed", type: "sts-webpki-invalid" },
  });
  assertEquals(await failureOf((_, init) => visit(`https://localhost:${freePort()}/`, init)), {
    ...{ kind: "failed", type: "sts-policy-fetch-error" },
  });
  assertEquals(await failureOf(() => Promise.resolve(new Response("no", { status: 404 }))), {
    ...{ kind: "failed", type: "sts-policy-fetch-error" },
  });
  assertEquals(await failureOf(() => Promise.resolve(new Response("mode: enforce", TEXT))), {
    ...{ kind: "failed", type: "sts-policy-invalid" },
  });
});
