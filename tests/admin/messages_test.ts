import { assertEquals, assertStringIncludes } from "@std/assert";
import { idOf, messageOf, NOW_MS, recipientOf } from "../queue/messages.ts";
import { type AdminSetup, adminSetup, jsonInit } from "./app_setup.ts";

/** Three messages: two queued, one of them with two recipients, and a held one. */
async function fill({ ports: { store } }: AdminSetup): Promise<void> {
  await store.put(messageOf(1, { to: ["a@one.example", "b@two.example"] }));
  await store.put(messageOf(2, { to: ["c@one.example"], reversePath: "" }));
  await store.put(messageOf(3, { to: [recipientOf("d@two.example", { state: "held" })] }));
}

function itemIds({ items }: { items: { message: { id: string } }[] }): string[] {
  return items.map(({ message }) => message.id);
}

async function idsOf(admin: AdminSetup, query: string): Promise<string[]> {
  const { status, body } = await admin.json(`/api/v1/messages?${query}`);
  assertEquals(status, 200, JSON.stringify(body));
  return itemIds(body);
}

Deno.test("messages are listed newest first, page by page", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const first = await admin.json("/api/v1/messages?limit=2");
  assertEquals(itemIds(first.body), [idOf(3), idOf(2)]);
  const second = await admin.json(`/api/v1/messages?limit=2&cursor=${first.body.cursor}`);
  assertEquals(second.body.items.length, 1);
  assertEquals(second.body.cursor, null);
});

Deno.test("filters combine", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  assertEquals(await idsOf(admin, "domain=ONE.example"), [idOf(2), idOf(1)]);
  assertEquals(await idsOf(admin, "domain=one.example&sender="), [idOf(2)]);
  assertEquals(await idsOf(admin, "states=held"), [idOf(3)]);
  assertEquals(await idsOf(admin, "states=held&states=queued&recipient=d@two.example"), [idOf(3)]);
  assertEquals(await idsOf(admin, `ids=${idOf(1).toLowerCase()}`), [idOf(1)]);
  assertEquals(await idsOf(admin, "domain=example&subdomains=true&states=held"), [idOf(3)]);
  assertEquals(await idsOf(admin, "text=MESSAGE%202&listener=smtp&minSizeBytes=1"), [idOf(2)]);
  assertEquals(await idsOf(admin, "replyCode=4"), []);
  assertEquals(await idsOf(admin, "minAttempts=0&maxSizeBytes=1"), []);
  assertEquals(await idsOf(admin, `receivedAfterMs=${NOW_MS + 2}`), [idOf(3)]);
  // The clock of the tests stands 100 s after the first message.
  assertEquals(await idsOf(admin, "minAgeMs=99998"), [idOf(1)]);
  assertEquals(await idsOf(admin, "maxAgeMs=99998"), [idOf(3)]);
});

Deno.test("a message is shown with its recipients and its timeline", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const action = `/api/v1/messages/${idOf(1)}/actions/hold`;
  assertEquals((await admin.json(action, { method: "POST" })).body.changed, 1);
  const { body } = await admin.json(`/api/v1/messages/${idOf(1).toLowerCase()}`);
  assertEquals(body.recipients.map((recipient: { state: string }) => recipient.state), [
    "held",
    "held",
  ]);
  assertEquals(body.timeline.at(-1).kind, "held");
  assertEquals(body.timeline.at(-1).detail, { by: "this machine" });
  assertEquals((await admin.json(`/api/v1/messages/${idOf(9)}`)).status, 404);
});

Deno.test("an action on a filter is counted first and then done", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const path = "/api/v1/messages/actions/cancel";
  const init = jsonInit("POST", { filter: { domain: "two.example" } });
  const preview = await admin.json(`${path}?dry_run=true`, init);
  assertEquals(preview.body, {
    action: "cancel",
    matching: 2,
    isComplete: true,
    changed: 0,
    dryRun: true,
  });
  assertEquals((await admin.ports.store.stats()).recipients.cancelled, 0);
  const done = await admin.json(path, init);
  assertEquals(done.body, {
    action: "cancel",
    matching: 2,
    isComplete: true,
    changed: 2,
    dryRun: false,
  });
  // Only the recipients that the filter means.
  assertEquals((await admin.ports.store.stats()).recipients.cancelled, 2);
});

Deno.test("an action on everything must be meant", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const path = "/api/v1/messages/actions/hold";
  const open = await admin.json(path, jsonInit("POST", { filter: {} }));
  assertEquals([open.status, open.body.errors[0].field], [400, "all"]);
  const all = await admin.json(path, jsonInit("POST", { filter: {}, all: true }));
  assertEquals(all.body.changed, 2);
});

Deno.test("what no index helps with is counted as far as there is time", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const { body } = await admin.json("/api/v1/messages/count?text=message");
  assertEquals(body, { count: 3, isComplete: true });
});

Deno.test("an action keeps to states that it can change", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const path = "/api/v1/messages/actions/release";
  const wrong = await admin.json(path, jsonInit("POST", { filter: { states: ["queued"] } }));
  assertEquals([wrong.body.matching, wrong.body.changed], [0, 0]);
  const single = await admin.json(`/api/v1/messages/${idOf(1)}/actions/release`, {
    method: "POST",
  });
  assertEquals(single.status, 409);
  const unknown = await admin.json(`/api/v1/messages/${idOf(9)}/actions/hold`, { method: "POST" });
  assertEquals(unknown.status, 404);
});

Deno.test("messages are given up and forgotten", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const bounce = `/api/v1/messages/${idOf(3)}/actions/bounce`;
  assertEquals((await admin.json(bounce, { method: "POST" })).body.changed, 1);
  const remove = `/api/v1/messages/${idOf(1)}/actions/delete`;
  const preview = await admin.json(`${remove}?dry_run=true`, { method: "POST" });
  assertEquals([preview.body.matching, preview.body.changed], [1, 0]);
  assertEquals((await admin.json(remove, { method: "POST" })).body.changed, 1);
  assertEquals((await admin.json(`/api/v1/messages/${idOf(1)}`)).status, 404);
});

Deno.test("what waits is counted by domain, age and reason", async () => {
  await using admin = await adminSetup();
  await fill(admin);
  const { body } = await admin.json("/api/v1/queue/shape?ageMs=300000&ageMs=1800000");
  assertEquals([body.recipients, body.ages], [4, [4, 0, 0]]);
  assertEquals(body.domains[0].recipients, body.domains[0].ages[0]);
  await admin.clock.advance(600_000);
  const later = await admin.json("/api/v1/queue/shape?ageMs=300000&ageMs=1800000&limit=1");
  assertEquals([later.body.ages, later.body.domains.length], [[0, 4, 0], 1]);
  const { domain, recipients } = body.domains[0];
  const one = await admin.json(`/api/v1/queue/shape?domain=${domain}`);
  assertEquals(one.body.recipients, recipients);
});

Deno.test("a message of one's own goes into the queue", async () => {
  await using admin = await adminSetup();
  const { status, body } = await admin.json(
    "/api/v1/messages",
    jsonInit("POST", { from: "me@x.example", to: ["a@b.example"], subject: "Grüße", text: "a\nb" }),
  );
  assertEquals([status, body.id], [201, "01TEST0000000001"]);
  const [submitted] = admin.ports.submitted;
  assertStringIncludes(submitted?.message ?? "", "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n");
  assertStringIncludes(submitted?.message ?? "", "\r\n\r\na\r\nb\r\n");
  assertEquals(submitted?.by, "this machine");
  const refused = await admin.json(
    "/api/v1/messages",
    jsonInit("POST", { from: "", to: ["refused@dest.example"] }),
  );
  assertEquals([refused.status, refused.body.detail], [422, "Not to that one."]);
});
