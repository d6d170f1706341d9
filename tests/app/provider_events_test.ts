import { assert, assertEquals, assertRejects } from "@std/assert";
import { ProviderEventsSite } from "../../src/app/provider_events.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { ProviderEventsConfig } from "../../src/config/sections/provider_events.ts";
import { FeedbackDesk } from "../../src/feedback/desk.ts";
import { ListenError } from "../../src/net/listener.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { remoteIdRecord } from "../../src/queue/remote_ids.ts";
import { SuppressionList } from "../../src/queue/suppressions.ts";
import { recordEvent } from "../../src/webhooks/event_body.ts";
import { snsSigner, TOPIC } from "../provider_events/support.ts";
import { testAuthority, type TestCertificate } from "../support/certificates.ts";
import { StoreFolder } from "../queue/folder.ts";
import { idOf, messageOf, settlementOf } from "../queue/messages.ts";

const RULES = {
  ...{ suppressBouncedMs: null, suppressComplainedMs: null, suppressSoftMs: null },
  soft: { limit: 0, windowMs: 1000 },
};
const SES: ProviderEventsConfig = {
  ...{ address: "127.0.0.1", port: 0, tls: null, proxies: [] },
  ...{ maxConnections: 50, maxConnectionsPerAddress: 50 },
  sources: [{ provider: "ses", name: "ses", topics: [TOPIC] }],
};

/** A site over a store on disk; Amazon answers with a certificate of `certificate`. */
async function bench(certificate = "") {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await StoreFolder.make());
  const store = stack.use(await folder.open());
  const suppressions = new SuppressionList({ shelf: store.shelf, clock: systemClock });
  const events: RelayEvent[] = [];
  const asked: string[] = [];
  const desk = new FeedbackDesk({
    ...{ store, suppressions, clock: systemClock, record: recordEvent },
    ...{ emit: (event) => events.push(event), rules: () => RULES },
  });
  const site = stack.use(
    new ProviderEventsSite({
      ...{ store, desk, clock: systemClock, events: (event) => events.push(event) },
      fetch(url) {
        asked.push(url);
        return Promise.resolve(new Response(certificate));
      },
    }),
  );
  const origin = (): string => {
    const event = events.findLast(({ type }) => type === "listening");
    return event?.type === "listening" ? `http://${event.address}` : "";
  };
  const owned = stack.move();
  return {
    ...{ site, store, suppressions, events, asked, origin },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function post(url: string, body: unknown): Promise<number> {
  const headers = { "content-type": "text/plain; charset=UTF-8" }; // as Amazon SNS has it
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  await response.body?.cancel();
  return response.status;
}

Deno.test("provider events: SES subscribes, then tells of a message that it took", async () => {
  const { certificate, message } = snsSigner();
  await using made = await bench(certificate);
  const { site, store, suppressions, events, asked } = made;
  await store.put(messageOf(1, { to: ["user@dest.example"] }));
  const records = [
    remoteIdRecord("ses:0100-1", { messageId: idOf(1), recipients: [0], nowMs: Date.now() }),
  ];
  await store.settle(settlementOf(1, { recipients: [], records }));
  await site.use(SES);
  const address = `${made.origin()}/events/ses`;
  const Timestamp = new Date().toISOString();

  const SubscribeURL = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription";
  const subscription = { Type: "SubscriptionConfirmation", Token: "t", SubscribeURL, Timestamp };
  assertEquals(await post(address, message({ ...subscription, SignatureVersion: "2" })), 200);
  assertEquals(asked.at(-1), SubscribeURL);
  assert(events.some(({ type }) => type === "operated"));

  const complaint = message({
    Timestamp,
    Message: JSON.stringify({
      notificationType: "Complaint",
      mail: { messageId: "0100-1", destination: ["user@dest.example"] },
      complaint: {
        complainedRecipients: [{ emailAddress: "user@dest.example" }],
        complaintFeedbackType: "abuse",
      },
    }),
  });
  assertEquals(await post(address, { ...complaint, Message: "{}" }), 401);
  assertEquals(await post(address, complaint), 200);
  assertEquals(await post(address, complaint), 200);
  const detail = await store.get(idOf(1));
  assertEquals(detail?.timeline.map(({ kind, recipients }) => [kind, recipients]), [
    ["complained", [0]],
  ]);
  assertEquals((await suppressions.find("user@dest.example"))?.reason, "abuse");
  assertEquals(asked.filter((url) => url.endsWith(".pem")).length, 1);
});

Deno.test("provider events: nothing listens without sources, and a reload keeps the address", async () => {
  await using made = await bench();
  const { site, events } = made;
  await site.use({ ...SES, sources: [] });
  assertEquals(events, []);
  await site.use(SES);
  const before = made.origin();
  assertEquals(await post(`${before}/events/other`, {}), 404);
  const other = { provider: "postmark", name: "other", secret: "a secret of the tests" } as const;
  await site.use({ ...SES, sources: [other] });
  assertEquals(made.origin(), before);
  assertEquals(await post(`${before}/events/other`, {}), 401);
  assertEquals(await post(`${before}/events/ses`, {}), 404);
  await site.use({ ...SES, sources: [] });
  await assertRejects(() => post(`${before}/events/other`, {}), TypeError);
});

Deno.test("provider events: it listens inside TLS, and with another certificate after a reload", async () => {
  await using made = await bench();
  const authority = testAuthority();
  const answerWith = async (certificate: TestCertificate): Promise<number> => {
    await made.site.use({ ...SES, tls: certificate });
    using client = Deno.createHttpClient({ caCerts: [authority.certificate] });
    const { port } = new URL(made.origin());
    const url = `https://localhost:${port}/events/ses`;
    const response = await fetch(url, { method: "POST", body: "{}", client });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await answerWith(authority.issue({ names: ["localhost"] })), 401);
  assertEquals(await answerWith(authority.issue({ names: ["localhost"] })), 401);
  const other = testAuthority("Other Root").issue({ names: ["localhost"] });
  await assertRejects(() => answerWith(other), TypeError);
  const broken = { certificate: other.certificate, key: "no key" };
  await assertRejects(() => made.site.use({ ...SES, tls: broken }), ListenError);
  await made.site.use(SES);
  assertEquals(await post(`${made.origin()}/events/ses`, {}), 401);
});

Deno.test("provider events: an address that is in use is named", async () => {
  await using one = await bench();
  await one.site.use(SES);
  await using other = await bench();
  const port = Number(new URL(one.origin()).port);
  const error = await assertRejects(() => other.site.use({ ...SES, port }), ListenError);
  assertEquals(error.message.startsWith("Cannot open the address for provider events on"), true);
});
