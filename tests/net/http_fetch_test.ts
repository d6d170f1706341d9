import { assertEquals, assertRejects } from "@std/assert";
import { type HttpInit, NoConnection } from "../../src/base/http_request.ts";
import { isPublicAddress } from "../../src/base/ip.ts";
import { fetchFrom, type OwnFetch, webFetch } from "../../src/net/http_fetch.ts";
import { ManualClock } from "../support/manual_clock.ts";

const init: HttpInit = {
  method: "POST",
  headers: { "x-own": "yes" },
  body: new Blob(["hello"]),
  signal: new AbortController().signal,
};

/** A server that tells the port each request came from. */
function startServer() {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request, info) => {
      const { pathname, search, host } = new URL(request.url);
      const own = `${request.headers.get("x-own")} ${host} ${pathname}${search}`;
      const port = String(info.remoteAddr.port);
      return new Response(`${await request.text()} ${own}`, {
        headers: { "x-port": port },
      });
    },
  );
}

async function ask(
  { fetch }: OwnFetch,
  url: string,
): Promise<{ port: string; text: string }> {
  const { headers, body } = await fetch(url, init);
  let text = "";
  for await (const chunk of body ?? []) text += new TextDecoder().decode(chunk);
  return { port: headers.get("x-port") ?? "", text };
}

Deno.test("requests share a connection until it has waited for half a minute", async () => {
  await using server = startServer();
  const { port } = server.addr;
  const clock = new ManualClock();
  using own = fetchFrom({}, { clock });
  const ports = [];
  for (let count = 0; count < 12; count++) { // more than the library's limit of listeners
    const { text, port: from } = await ask(own, `http://localhost:${port}/a?b`);
    assertEquals(text, `hello yes localhost:${port} /a?b`);
    ports.push(from);
  }
  assertEquals(new Set(ports).size, 1);
  await clock.advance(29_999);
  assertEquals((await ask(own, `http://localhost:${port}/`)).port, ports[0]);
  await clock.advance(30_000);
  const fresh = (await ask(own, `http://localhost:${port}/`)).port;
  assertEquals(fresh === ports[0], false);
});

Deno.test("without a connection it is said why", async () => {
  await using server = startServer();
  using own = fetchFrom({});
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  for (
    const [url, reason] of [
      [`http://127.0.0.1:${closed.addr.port}/`, "refused"],
      [`https://127.0.0.1:${server.addr.port}/`, "tls"],
      ["http://no-such-host.invalid/", "name"],
    ] as const
  ) {
    const error = await assertRejects(() => own.fetch(url, init), NoConnection);
    assertEquals(error.reason, reason);
  }
});

Deno.test("a proxy that is not there, or will not, is told from a server that is not", async () => {
  const refusing = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const conn of refusing) {
      await conn.read(new Uint8Array(1000));
      await conn.write(
        new TextEncoder().encode("HTTP/1.1 403 Forbidden\r\n\r\n"),
      );
      conn.close();
    }
  })();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  for (
    const [{ addr }, reason] of [[refusing, "denied"], [
      closed,
      "proxy",
    ]] as const
  ) {
    using own = fetchFrom({
      proxy: { kind: "http", address: "localhost", port: addr.port },
    });
    const error = await assertRejects(
      () => own.fetch("https://api.example/", init),
      NoConnection,
    );
    assertEquals(error.reason, reason);
  }
  refusing.close();
  await serving;
});

Deno.test("who disposes of it ends what waits", async () => {
  await using server = startServer();
  const own = fetchFrom({});
  await ask(own, `http://127.0.0.1:${server.addr.port}/`);
  own[Symbol.dispose]();
});

Deno.test("a place that leads to a private address is not visited, by name, number or redirection", async () => {
  let visits = 0;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    visits++;
    return new Response(null, { status: 302, headers: { location: "http://127.0.0.1/" } });
  });
  const { port } = server.addr;
  using guarded = fetchFrom({ allows: isPublicAddress });
  const hosts = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "127.1"];
  for (const host of [...hosts, "0x7f000001", "2130706433"]) {
    const visit = () => guarded.fetch(`http://${host}:${port}/`, init);
    const error = await assertRejects(visit, NoConnection);
    assertEquals(error.reason, "denied", host);
  }
  assertEquals(visits, 0);
  using own = fetchFrom({});
  const response = await webFetch(own.fetch)(`http://127.0.0.1:${port}/`, { redirect: "follow" });
  await response.body?.cancel();
  assertEquals([response.status, visits], [302, 1]);
});
