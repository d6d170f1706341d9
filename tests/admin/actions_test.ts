import { assertEquals } from "@std/assert";
import { idOf, messageOf, recipientOf } from "../queue/messages.ts";
import { type AdminSetup, adminSetup, jsonInit } from "./app_setup.ts";

async function fill({ ports: { store } }: AdminSetup): Promise<void> {
  await store.put(messageOf(1, { to: ["a@one.example", "b@two.example"] }));
  await store.put(messageOf(2, { to: [recipientOf("b@two.example", { state: "held" })] }));
  await store.put(messageOf(3, { to: ["c@three.example"] }));
}

Deno.test("mail is rerouted once it was counted, and found by its transport", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const path = "/api/v1/messages/actions/reroute";
  const init = jsonInit("POST", { filter: { domain: "two.example" }, transport: "mx" });
  const preview = await admin.json(`${path}?dry_run=true`, init);
  assertEquals([preview.body.matching, preview.body.changed], [2, 0]);
  const done = await admin.json(path, init);
  assertEquals([done.body.action, done.body.changed], ["reroute", 2]);
  const { body } = await admin.json(`/api/v1/messages/${idOf(1)}`);
  assertEquals(
    body.recipients.map((one: Record<string, unknown>) => [one["transport"], one["rerouted"]]),
    [[undefined, undefined], ["mx", true]],
  );
  assertEquals(body.timeline.at(-1).detail, { by: "this machine", transport: "mx" });
  const found = await admin.json("/api/v1/messages/count?transport=mx&states=queued");
  assertEquals(found.body.count, 1);
  const back = await admin.json(
    `/api/v1/messages/${idOf(1)}/actions/reroute`,
    jsonInit("POST", { transport: null }),
  );
  assertEquals(back.body.changed, 1);
  assertEquals((await admin.json("/api/v1/messages/count?transport=mx")).body.count, 1);
});

Deno.test("a transport that is not there, and nobody to add, are refused", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const one = `/api/v1/messages/${idOf(1)}/actions`;
  const wrong = await admin.json(`${one}/reroute`, jsonInit("POST", { transport: "gone" }));
  assertEquals([wrong.status, wrong.body.errors[0].field], [400, "transport"]);
  const nobody = await admin.json(`${one}/readdress`, jsonInit("POST", {}));
  assertEquals([nobody.status, nobody.body.errors[0].field], [400, "add"]);
  const everything = await admin.json(
    "/api/v1/messages/actions/reroute",
    jsonInit("POST", { filter: {}, transport: "mx" }),
  );
  assertEquals([everything.status, everything.body.errors[0].field], [400, "all"]);
});

Deno.test("a recipient is replaced in all messages that have it", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const path = "/api/v1/messages/actions/readdress";
  const change = { remove: "B@two.example", add: ["b@new.example"] };
  const init = jsonInit("POST", { filter: {}, ...change });
  const preview = await admin.json(`${path}?dry_run=true`, init);
  assertEquals([preview.body.matching, preview.body.changed], [2, 0]);
  assertEquals((await admin.json(path, init)).body.changed, 2);
  const { body } = await admin.json(`/api/v1/messages/${idOf(2)}`);
  assertEquals(
    body.recipients.map((one: Record<string, unknown>) => `${one["forwardPath"]} ${one["state"]}`),
    ["b@two.example cancelled", "b@new.example queued"],
  );
  assertEquals(body.timeline.at(-1).kind, "readdressed");
  const again = await admin.json(path, init);
  assertEquals(again.body.matching, 0);
  const single = `/api/v1/messages/${idOf(3)}/actions/readdress`;
  assertEquals((await admin.json(single, jsonInit("POST", change))).status, 409);
});

Deno.test("what failed is sent again as a whole filter", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  await admin.json(`/api/v1/messages/${idOf(3)}/actions/cancel`, { method: "POST" });
  const path = "/api/v1/messages/actions/send-again";
  const init = jsonInit("POST", { filter: { domain: "three.example" } });
  const preview = await admin.json(`${path}?dry_run=true`, init);
  assertEquals([preview.body.matching, preview.body.changed], [1, 0]);
  assertEquals((await admin.json(path, init)).body.changed, 1);
});
