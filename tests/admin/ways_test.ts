import { assertEquals } from "@std/assert";
import { adminSetup, jsonInit } from "./app_setup.ts";

Deno.test("destinations are listed worst first and filtered", async () => {
  await using admin = await adminSetup();
  const { body } = await admin.json("/api/v1/destinations");
  const names = body.items.map(({ name }: { name: string }) => name);
  assertEquals([names, body.total], [["dest.example", "up.example"], 2]);
  assertEquals(
    (await admin.json("/api/v1/destinations?state=up")).body.items[0].name,
    "up.example",
  );
  assertEquals((await admin.json("/api/v1/destinations?text=DEST")).body.total, 1);
  const cut = await admin.json("/api/v1/destinations?limit=1&transport=mx");
  assertEquals([cut.body.items.length, cut.body.total], [1, 2]);
  assertEquals((await admin.json("/api/v1/destinations?transport=other")).body.total, 0);
});

Deno.test("a domain is paused with a reason and an end, and resumed", async () => {
  await using admin = await adminSetup();
  const path = "/api/v1/destinations/Slow.example";
  const init = jsonInit("POST", { reason: "they asked", forMs: 60_000 });
  assertEquals((await admin.json(`${path}/pause`, init)).status, 200);
  const { paused } = (await admin.json("/api/v1/destinations")).body;
  assertEquals(paused, [{
    domain: "slow.example",
    pause: {
      reason: "they asked",
      by: "this machine",
      untilMs: admin.clock.now() + 60_000,
      sinceMs: 0,
    },
  }]);
  assertEquals((await admin.json(`${path}/resume`, { method: "POST" })).status, 200);
  assertEquals((await admin.json(`${path}/resume`, { method: "POST" })).status, 409);
});

Deno.test("flushing a domain tells how many messages became due", async () => {
  await using admin = await adminSetup();
  const { body } = await admin.json("/api/v1/destinations/a.example/flush", { method: "POST" });
  assertEquals(body, { messages: 7 });
  assertEquals(admin.ports.calls, ["flush a.example by this machine"]);
});

Deno.test("only transports that exist are paused, resumed and reset", async () => {
  await using admin = await adminSetup();
  for (const action of ["pause", "resume", "reset"]) {
    const { status } = await admin.json(
      `/api/v1/transports/none/${action}`,
      jsonInit("POST", {}),
    );
    assertEquals(status, 404, action);
  }
  assertEquals((await admin.json("/api/v1/transports/mx/resume", { method: "POST" })).status, 409);
  assertEquals(admin.ports.calls, []);
});

Deno.test("explaining a route takes a recipient and tells the way", async () => {
  await using admin = await adminSetup();
  const { body } = await admin.json("/api/v1/routes/explain?to=a@b.example&listener=office");
  assertEquals(body.route, "default");
  assertEquals(body.steps[0].reason, "fits everything from office");
  const wrong = await admin.json("/api/v1/routes/explain?to=nobody");
  assertEquals(wrong.body.errors, [{
    in: "query",
    field: "to",
    message: "expected a mail address such as user@example.net",
  }]);
});

Deno.test("a reload that finds mistakes lists them", async () => {
  await using admin = await adminSetup();
  const init = { method: "POST" };
  assertEquals((await admin.json("/api/v1/config/reload", init)).body.kind, "reloaded");
  admin.ports.reloadResult = { kind: "invalid", problems: ["posthouse.toml:1:1: x"] };
  const { status, body } = await admin.json("/api/v1/config/reload", init);
  assertEquals([status, body.errors[0].message], [422, "posthouse.toml:1:1: x"]);
  admin.ports.reloadResult = { kind: "partial", problem: "the port is taken" };
  const partial = await admin.json("/api/v1/config/reload", init);
  assertEquals(partial.body, { kind: "partial", problem: "the port is taken" });
});

Deno.test("readiness names what does not work and nothing more", async () => {
  await using admin = await adminSetup();
  assertEquals((await admin.json("/healthz")).body, { status: "ok" });
  assertEquals((await admin.json("/readyz")).body, { status: "ready", failed: [] });
  admin.ports.checks = [{ name: "disk", ok: false, detail: "/secret/path is full" }];
  const { status, body } = await admin.json("/readyz");
  assertEquals([status, body], [503, { status: "not ready", failed: ["disk"] }]);
});
