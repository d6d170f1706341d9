import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { createAdminApp } from "../../src/admin/app.ts";
import { describedRoutes } from "../../src/admin/http/openapi.ts";
import { idOf } from "../queue/messages.ts";
import { adminSetup, jsonInit } from "./app_setup.ts";
import { FULL_MAIL, mailOf } from "./sample_mail.ts";

/** A request for each operation that must succeed, in this order. */
const REQUESTS: readonly (readonly [id: string, path: string, init?: RequestInit])[] = [
  ["getStatus", "/api/v1/status"],
  ["getActivity", "/api/v1/activity?minutes=3"],
  ["getQueueShape", "/api/v1/queue/shape"],
  ["getCaller", "/api/v1/me"],
  ["listMessages", "/api/v1/messages?states=queued&states=held&domain=dest.example&limit=1"],
  ["countMessages", "/api/v1/messages/count?sender=sender@origin.example"],
  ["getMessage", `/api/v1/messages/${idOf(1)}`],
  ["getHeaders", `/api/v1/messages/${idOf(1)}/headers`],
  ["getText", `/api/v1/messages/${idOf(1)}/text`],
  ["getHtml", `/api/v1/messages/${idOf(1)}/html`],
  ["listAttachments", `/api/v1/messages/${idOf(1)}/attachments`],
  ["downloadAttachment", `/api/v1/messages/${idOf(1)}/attachments/1`],
  ["downloadMessage", `/api/v1/messages/${idOf(1)}/raw`],
  ["changeMessage", `/api/v1/messages/${idOf(1)}/actions/hold`, { method: "POST" }],
  [
    "changeMessages",
    "/api/v1/messages/actions/release",
    jsonInit("POST", { filter: { states: ["held"] } }),
  ],
  [
    "rerouteMessage",
    `/api/v1/messages/${idOf(1)}/actions/reroute`,
    jsonInit("POST", { transport: "mx" }),
  ],
  [
    "rerouteMessages",
    "/api/v1/messages/actions/reroute?dry_run=true",
    jsonInit("POST", { filter: { transport: "mx" }, transport: null }),
  ],
  [
    "readdressMessage",
    `/api/v1/messages/${idOf(1)}/actions/readdress`,
    jsonInit("POST", { add: ["more@dest.example"] }),
  ],
  [
    "readdressMessages",
    "/api/v1/messages/actions/readdress",
    jsonInit("POST", { filter: {}, all: true, remove: "more@dest.example" }),
  ],
  [
    "sendMessagesAgain",
    "/api/v1/messages/actions/send-again",
    jsonInit("POST", { filter: { states: ["cancelled"] }, transport: "mx" }),
  ],
  [
    "submitMessage",
    "/api/v1/messages",
    jsonInit("POST", { from: "", to: ["a@dest.example"], subject: "Test", text: "Hi" }),
  ],
  [
    "sendMessageAgain",
    `/api/v1/messages/${idOf(1)}/send-again`,
    jsonInit("POST", { recipients: ["b@dest.example"], route: "default" }),
  ],
  ["listDestinations", "/api/v1/destinations?state=down"],
  ["pauseDestination", "/api/v1/destinations/a.example/pause", jsonInit("POST", { forMs: 60000 })],
  ["resumeDestination", "/api/v1/destinations/a.example/resume", { method: "POST" }],
  ["flushDestination", "/api/v1/destinations/a.example/flush", { method: "POST" }],
  ["listTransports", "/api/v1/transports"],
  ["pauseTransport", "/api/v1/transports/mx/pause", jsonInit("POST", { reason: "slow" })],
  ["resumeTransport", "/api/v1/transports/mx/resume", { method: "POST" }],
  ["resetTransport", "/api/v1/transports/mx/reset", { method: "POST" }],
  [
    "testTransport",
    "/api/v1/transports/mx/test",
    jsonInit("POST", { to: "a@dest.example" }),
  ],
  ["listRoutes", "/api/v1/routes"],
  ["explainRoute", "/api/v1/routes/explain?to=a@dest.example"],
  [
    "addSuppression",
    "/api/v1/suppressions/a@dest.example",
    jsonInit("PUT", { reason: "left the company" }),
  ],
  ["listSuppressions", "/api/v1/suppressions"],
  ["removeSuppression", "/api/v1/suppressions/a@dest.example", { method: "DELETE" }],
  ["listWebhooks", "/api/v1/webhooks"],
  ["listWebhookCalls", "/api/v1/webhooks/log"],
  ["replayWebhook", "/api/v1/webhooks/crm/replay", jsonInit("POST", { fromMs: 0 })],
  ["listEvents", "/api/v1/events/recent"],
  ["streamEvents", "/api/v1/events"],
  ["getConfig", "/api/v1/config"],
  ["reloadConfig", "/api/v1/config/reload", { method: "POST" }],
  ["createKey", "/api/v1/keys", jsonInit("POST", { name: "ci", role: "viewer" })],
  ["listKeys", "/api/v1/keys"],
  ["revokeKey", "/api/v1/keys/KEY", { method: "DELETE" }],
  ["putUser", "/api/v1/users/ada", jsonInit("PUT", { role: "admin", password: "correct horse" })],
  ["listUsers", "/api/v1/users"],
  ["removeUser", "/api/v1/users/ada", { method: "DELETE" }],
  ["getMetrics", "/metrics"],
];

Deno.test("every operation answers as the OpenAPI document says", async () => {
  await using admin = await adminSetup();
  await admin.ports.store.put(mailOf(1, FULL_MAIL));
  admin.ports.feed.sink({ type: "started" });
  const app = createAdminApp(admin.ports, { events: () => {}, openOnLoopback: true });
  const operations = new Map(
    describedRoutes(app).map(({ operation }) => [operation.id, operation]),
  );
  let keyId = "";
  for (const [id, path, init] of REQUESTS) {
    const operation = operations.get(id);
    assert(operation !== undefined, `no operation ${id}`);
    operations.delete(id);
    const response = await admin.request(path.replace("KEY", keyId), init);
    assertEquals(response.status, operation.status ?? 200, `${id}: ${path}`);
    if (!(operation.answer instanceof z.ZodType)) {
      await response.body?.cancel();
      continue;
    }
    const body = await response.json();
    // What is not described would be missing here.
    assertEquals(operation.answer.parse(body), body, id);
    if (id === "createKey") keyId = body.key.id;
  }
  assertEquals([...operations.keys()], [], "operations that were not tried");
});
