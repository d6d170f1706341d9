import { assertEquals } from "@std/assert";
import type { RelayEvent } from "../../src/observe/events.ts";
import { SesSource } from "../../src/provider_events/ses/source.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { CERTIFICATE_URL, NOW_MS, requestOf, snsSigner, TOPIC } from "./support.ts";

const SUBSCRIBE_URL = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t";
const SUBSCRIPTION = {
  ...{ Type: "SubscriptionConfirmation", Token: "t", SubscribeURL: SUBSCRIBE_URL },
};

/** A source whose certificates and confirmations are answered by `answer`. */
function bench(answer?: (url: string) => Response | Promise<Response> | undefined) {
  const signer = snsSigner();
  const clock = new ManualClock(NOW_MS);
  const visited: string[] = [];
  const events: RelayEvent[] = [];
  const source = new SesSource({
    ...{ name: "ses", topics: [TOPIC], clock, events: (event) => events.push(event) },
    fetch(url, { redirect }) {
      assertEquals(redirect, "manual");
      visited.push(url);
      return Promise.resolve(answer?.(url) ?? new Response(signer.certificate));
    },
  });
  const kindOf = async (message: Record<string, string>): Promise<string> =>
    (await source.read(requestOf(JSON.stringify(message), { nowMs: clock.now() }))).kind;
  return { source, signer, clock, visited, events, kindOf, message: signer.message };
}

Deno.test("ses: both versions of signatures are verified, with one certificate", async () => {
  const { kindOf, message, visited } = bench();
  for (const SignatureVersion of ["1", "2"]) {
    const signed = message({ SignatureVersion, Message: '{"eventType":"Open"}', Subject: "x" });
    assertEquals(await kindOf(signed), "reports");
    for (const name of ["Message", "MessageId", "Subject", "Timestamp"]) {
      const other = name === "Timestamp" ? new Date(NOW_MS + 1000).toISOString() : "other";
      assertEquals(await kindOf({ ...signed, [name]: other }), "forged", name);
    }
    assertEquals(await kindOf({ ...signed, Signature: "AAAA" }), "forged");
    assertEquals(await kindOf({ ...signed, Signature: "" }), "forged");
    assertEquals(await kindOf({ ...signed, Signature: "no base64" }), "forged");
  }
  assertEquals(await kindOf(message({ SignatureVersion: "3" })), "forged");
  assertEquals(visited, [CERTIFICATE_URL]);
});

Deno.test("ses: certificates come from Amazon SNS in the region of the topic alone", async () => {
  const { kindOf, message, visited } = bench();
  const addresses = [
    "http://sns.eu-central-1.amazonaws.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com.evil.example/a.pem",
    "https://sns.eu-central-1.amazonaws.com:8443/a.pem",
    "https://user@sns.eu-central-1.amazonaws.com/a.pem",
    "https://sns.us-east-1.amazonaws.com/a.pem",
    "https://evil.amazonaws.com/a.pem",
    "https://sns.eu-central-1.amazonaws.com/a.txt",
    "https://sns.eu-central-1.amazonaws.com/?a.pem",
    "https://sns.eu-central-1.amazonaws.com./SimpleNotificationService-1.pem",
    "https://sns.eu-central-1.amazonaws.com:80/SimpleNotificationService-1.pem",
    "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
    "https://sns.eu-central-1.amazonaws.com\\@evil.example/SimpleNotificationService-1.pem/..",
    `${CERTIFICATE_URL}?`.concat("x=1"),
    `${CERTIFICATE_URL}#1`,
    CERTIFICATE_URL.replace("/Simple", "/x/Simple"),
    CERTIFICATE_URL.replace("-1.pem", `-${"1".repeat(100)}.pem`),
    "file:///etc/a.pem",
    "",
  ];
  for (const SigningCertURL of addresses) {
    assertEquals(await kindOf(message({ SigningCertURL })), "forged", SigningCertURL);
  }
  assertEquals(visited, []);
});

Deno.test("ses: only configured topics are heard, and nobody is asked for others", async () => {
  const { kindOf, message, visited } = bench();
  for (const TopicArn of [`${TOPIC}-2`, "", TOPIC.replace("123456789012", "210987654321")]) {
    assertEquals(await kindOf(message({ ...SUBSCRIPTION, TopicArn })), "forged");
  }
  assertEquals(visited, []);
});

Deno.test("ses: what is old, or yet to come, is not heard", async () => {
  const { kindOf, message } = bench();
  const at = (timeMs: number) => message({ Timestamp: new Date(timeMs).toISOString() });
  assertEquals(await kindOf(at(NOW_MS - 6 * 24 * 3_600_000)), "reports");
  assertEquals(await kindOf(at(NOW_MS - 8 * 24 * 3_600_000)), "forged");
  assertEquals(await kindOf(at(NOW_MS + 3_600_000)), "forged");
  assertEquals(await kindOf(message({ Timestamp: "now" })), "forged");
});

Deno.test("ses: a subscription is confirmed after it is verified", async () => {
  const { kindOf, message, visited, events } = bench();
  const forged = { ...message(SUBSCRIPTION), Token: "other" };
  assertEquals(await kindOf(forged), "forged");
  assertEquals(visited, [CERTIFICATE_URL]);
  assertEquals(await kindOf(message(SUBSCRIPTION)), "reports");
  assertEquals(visited, [CERTIFICATE_URL, SUBSCRIBE_URL]);
  assertEquals(events.map(({ type }) => type), ["operated"]);
  const elsewhere = message({ ...SUBSCRIPTION, SubscribeURL: "https://evil.example/" });
  assertEquals(await kindOf(elsewhere), "forged");
  assertEquals(visited.length, 2);
});

Deno.test("ses: a confirmation that Amazon does not take is asked for again", async () => {
  const { kindOf, message, signer } = bench((url) =>
    url === SUBSCRIBE_URL ? new Response("no", { status: 400 }) : new Response(signer.certificate)
  );
  assertEquals(await kindOf(message(SUBSCRIPTION)), "undecided");
});

Deno.test("ses: the end of a subscription is told, and not undone", async () => {
  const { kindOf, message, visited, events } = bench();
  assertEquals(
    await kindOf(message({ ...SUBSCRIPTION, Type: "UnsubscribeConfirmation" })),
    "reports",
  );
  assertEquals(visited, [CERTIFICATE_URL]);
  assertEquals(events.map(({ type }) => type), ["trouble"]);
});

Deno.test("ses: without a certificate nothing is decided, and asked again only later", async () => {
  const answers = [
    () => new Response("gone", { status: 404 }),
    () => Response.redirect("https://elsewhere.example/", 302),
    () => new Response("no certificate"),
    () => new Response("x".repeat(100_000)),
    () => Promise.reject(new TypeError("unreachable")),
  ];
  for (const answer of answers) {
    let isBack = false;
    const { kindOf, message, clock, visited, signer } = bench(() =>
      isBack ? new Response(signer.certificate) : answer()
    );
    assertEquals(await kindOf(message()), "undecided");
    assertEquals(await kindOf(message()), "undecided");
    assertEquals(visited.length, 1);
    isBack = true;
    await clock.advance(31_000);
    assertEquals(await kindOf(message()), "reports");
    await clock.advance(23 * 3_600_000);
    assertEquals(await kindOf(message()), "reports");
    assertEquals(visited.length, 2);
  }
});

for (const message of [null, [], {}, { Type: "Notification" }, { Type: ["Notification"] }]) {
  Deno.test(`ses: ${JSON.stringify(message)} is forged`, async () => {
    const { source } = bench();
    assertEquals((await source.read(requestOf(JSON.stringify(message)))).kind, "forged");
  });
}

Deno.test("ses: addresses that anybody may make up take no place of a certificate", async () => {
  const { kindOf, message, visited } = bench((url) =>
    url === CERTIFICATE_URL ? undefined : new Response(null, { status: 404 })
  );
  assertEquals(await kindOf(message()), "reports");
  for (let count = 0; count < 100; count++) {
    const SigningCertURL = CERTIFICATE_URL.replace("-1.pem", `-x${count}.pem`);
    assertEquals(await kindOf(message({ SigningCertURL })), "undecided");
    assertEquals(await kindOf(message()), "reports");
  }
  assertEquals(visited.filter((url) => url === CERTIFICATE_URL).length, 1);
});

Deno.test("ses: made-up addresses do not keep a new certificate out", async () => {
  const { kindOf, message } = bench((url) =>
    url === CERTIFICATE_URL ? undefined : new Response(null, { status: 404 })
  );
  for (let count = 0; count < 300; count++) {
    const SigningCertURL = CERTIFICATE_URL.replace("-1.pem", `-x${count}.pem`);
    assertEquals(await kindOf(message({ SigningCertURL })), "undecided");
  }
  assertEquals(await kindOf(message()), "reports");
});
