/** Web servers that others name, or that were taken over: of tokens, policies and webhooks. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { IntrospectionChecker } from "../../src/auth/token/introspection_checker.ts";
import { JwksChecker } from "../../src/auth/token/jwks_checker.ts";
import { fetchStsPolicy } from "../../src/delivery/tls/sts_fetch.ts";
import { fetchFrom, webFetch } from "../../src/net/http_fetch.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { WebhookSender } from "../../src/webhooks/sender.ts";
import { AUDIENCE, introspectionSettings, ISSUER, jwksSettings } from "../auth/token/support.ts";

const CHUNK = new Uint8Array(64 * 1024).fill(0x20);
const JSON_TYPE = { "content-type": "application/json" };

/** A body that never ends. */
function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(CHUNK) });
}

const ANSWERS: Readonly<Record<string, (request: Request) => Response | Promise<Response>>> = {
  "a body without end": () => new Response(endless(), { headers: JSON_TYPE }),
  "a redirection": ({ url }) => Response.redirect(new URL("/elsewhere", url), 307),
  "an error with a body without end": () => new Response(endless(), { status: 500 }),
  "deep nesting": () => new Response("[".repeat(500_000), { headers: JSON_TYPE }),
  "no object": () => Response.json(["active", true]),
  "odd types": () => Response.json({ active: "true", keys: { length: 1e9 }, username: ["a"] }),
  "odd keys": () => Response.json({ keys: [null, 1, {}, { kty: "RSA", n: "AQAB", e: "A" }] }),
  "no octets": () => new Response(null, { status: 200 }),
  "no text": () => new Response(new Uint8Array([0xff, 0xfe, 0, 1]), { headers: JSON_TYPE }),
};

/** A server with one of the answers, and where else it was asked. */
function startServer(answer: (request: Request) => Response | Promise<Response>) {
  const paths: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    paths.push(new URL(request.url).pathname);
    return answer(request);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    paths,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function jwt(): string {
  const part = (value: unknown): string =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const exp = Math.floor(Date.now() / 1000) + 600;
  const claims = { iss: ISSUER, aud: AUDIENCE, exp, email: "alice" };
  return `${part({ alg: "RS256", kid: "1" })}.${part(claims)}.${part("signature")}`;
}

for (const [name, answer] of Object.entries(ANSWERS)) {
  Deno.test(`hostile services: ${name} authenticates nobody`, async () => {
    await using server = startServer(answer);
    const { signal } = new AbortController();
    const services = { clock: systemClock, fetch, signal };
    const asked = new IntrospectionChecker(introspectionSettings(server.url), services);
    assertNotEquals((await asked.check("token", signal)).kind, "valid");
    const keyed = new JwksChecker(jwksSettings(server.url), services);
    assertNotEquals((await keyed.check(jwt())).kind, "valid");
    assert(server.paths.every((path) => path === "/"), "no redirection is followed");
  });

  Deno.test(`hostile services: ${name} is no policy, and stops no webhook`, async () => {
    await using server = startServer(answer);
    using own = fetchFrom({});
    const visit = webFetch(own.fetch);
    const policy = await fetchStsPolicy("dest.example", {
      ...{ clock: systemClock, fetch: (_url, init) => visit(server.url, init) },
    });
    assertEquals(policy.kind, "failed");
    const { outbox } = openMemoryStore({ clock: systemClock });
    const sender = new WebhookSender({
      ...{ name: "app", url: server.url, secret: null, events: ["accepted"] },
      ...{ maxEvents: 10, timeoutMs: 5_000 },
    }, { outbox, clock: systemClock, fetch: visit, events: () => {} });
    await sender.start();
    await outbox.append([{ messageId: "M", atMs: 0, type: "accepted", body: "{}" }]);
    const asked = server.paths.length;
    sender.wake();
    const isDone = (): boolean =>
      sender.health.lastSuccessAtMs !== null || sender.health.lastError !== null;
    for (let turn = 0; turn < 6_000 && !isDone(); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(server.paths.length, asked + 1);
    await sender[Symbol.asyncDispose]();
    assert(server.paths.every((path) => path === "/"), "no redirection is followed");
  });
}
