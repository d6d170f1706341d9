import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import PostalMime from "postal-mime";
import type { KeyRole } from "../../src/admin/ports.ts";
import { type AdminSetup, adminSetup, jsonInit, REMOTE } from "./app_setup.ts";

const PATH = "/api/v1/messages";
const LETTER = { from: "Ada <ada@x.example>", to: ["bob@dest.example"], text: "Hello" };

async function secretOf(
  admin: AdminSetup,
  request: { role: KeyRole; send?: boolean; senders?: string[] },
): Promise<string> {
  const { secret } = await admin.ports.keys.create({
    ...{ name: "app", expiresAtMs: null, by: "test" },
    ...request,
  });
  return secret;
}

function withKey(secret: string, init: RequestInit) {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${secret}`);
  return { ...init, headers, peer: REMOTE };
}

Deno.test("submission: fields become a message to everybody who is named", async () => {
  await using admin = await adminSetup();
  const { status, body } = await admin.json(
    PATH,
    jsonInit("POST", {
      ...LETTER,
      to: "Bob Größe <bob@dest.example>",
      cc: [{ address: "carl@dest.example", name: "Carl" }],
      bcc: ["dora@dest.example"],
      replyTo: "help@x.example",
      subject: "Grüße",
      html: `<img src="cid:pic">`,
      attachments: [
        { filename: "a.txt", type: "text/plain", content: "SGk=" },
        { filename: "p.png", type: "image/png", content: "AAEC", contentId: "pic" },
      ],
      headers: { "X-Order": "17" },
    }),
  );
  assertEquals([status, body], [201, { id: "01TEST0000000001" }]);
  const [submitted] = admin.ports.submitted;
  assertEquals(submitted?.from, "ada@x.example");
  assertEquals(submitted?.to, ["bob@dest.example", "carl@dest.example", "dora@dest.example"]);
  assert(!submitted?.message.includes("dora@"));
  const email = await PostalMime.parse(submitted?.message ?? "");
  assertEquals(email.subject, "Grüße");
  assertEquals(email.to?.[0]?.name, "Bob Größe");
  assertEquals(email.replyTo?.[0]?.address, "help@x.example");
  assertEquals(email.attachments.map(({ filename }) => filename), ["p.png", "a.txt"]);
  assertEquals(email.headers.find(({ key }) => key === "x-order")?.value, "17");
});

Deno.test("submission: a whole message goes through as it is, with its envelope beside it", async () => {
  await using admin = await adminSetup();
  const message = "Subject: raw\r\nTo: others@x.example\r\n\r\n.dots\r\n";
  const raw = (headers: Record<string, string>) => ({
    method: "POST",
    headers: { "content-type": "message/rfc822", ...headers },
    body: message,
  });
  const fields = raw({
    "x-posthouse-mail-from": "ada@x.example",
    "x-posthouse-rcpt-to": "b%C3%B6b@dest.example,%22a%2Cb%22@dest.example",
    "idempotency-key": "k1",
  });
  assertEquals((await admin.json(PATH, fields)).status, 201);
  const query = `${PATH}?from=&to=a@dest.example&to=b@dest.example`;
  assertEquals((await admin.json(query, raw({}))).status, 201);
  assertEquals(
    admin.ports.submitted.map(({ from, to, key, message: octets }) => [from, to, key, octets]),
    [
      ["ada@x.example", ["böb@dest.example", `"a,b"@dest.example`], "k1", message],
      ["", ["a@dest.example", "b@dest.example"], undefined, message],
    ],
  );
  assertEquals((await admin.json(PATH, raw({}))).status, 400);
  const broken = raw({ "x-posthouse-mail-from": "", "x-posthouse-rcpt-to": "%ZZ@dest.example" });
  assertEquals((await admin.json(PATH, broken)).status, 400);
});

Deno.test("submission: who may hand in mail, and as whom", async () => {
  const cases: [KeyRole, { send?: boolean }, number][] = [
    ["sender", {}, 201],
    ["viewer", {}, 403],
    ["viewer", { send: true }, 201],
    ["operator", {}, 201],
    ["operator", { send: false }, 403],
    ["admin", {}, 201],
  ];
  for (const [role, send, expected] of cases) {
    await using admin = await adminSetup({ openOnLoopback: false });
    const secret = await secretOf(admin, { role, ...send, senders: ["*@x.example"] });
    const { status } = await admin.json(PATH, withKey(secret, jsonInit("POST", LETTER)));
    assertEquals(status, expected, role);
    if (expected !== 201) continue;
    const [submitted] = admin.ports.submitted;
    assertEquals([submitted?.by, submitted?.senders], ["key app", ["*@x.example"]]);
    assertEquals(submitted?.clientAddress, REMOTE.kind === "tcp" ? REMOTE.address : "");
  }
  await using admin = await adminSetup({ openOnLoopback: false });
  assertEquals((await admin.json(PATH, jsonInit("POST", LETTER))).status, 401);
});

Deno.test("submission: a sender's key opens nothing else", async () => {
  await using admin = await adminSetup();
  const secret = await secretOf(admin, { role: "sender" });
  for (const path of ["/api/v1/messages", "/api/v1/keys", "/api/v1/queue/stats", "/metrics"]) {
    const { status } = await admin.request(path, withKey(secret, {}));
    assert(status === 403 || status === 404, `${path} answered ${status}`);
  }
  const login = await admin.request("/login", {
    method: "POST",
    body: new URLSearchParams({ name: "", password: secret }),
    peer: REMOTE,
  });
  assertEquals(login.headers.get("set-cookie"), null);
});

Deno.test("submission: keys are made with scopes", async () => {
  await using admin = await adminSetup();
  const cases: [string[], string, boolean][] = [
    [["send"], "sender", true],
    [["read"], "viewer", false],
    [["send", "read"], "viewer", true],
    [["operate"], "operator", false],
    [["operate", "send"], "operator", true],
  ];
  for (const [scopes, role, send] of cases) {
    const { status, body } = await admin.json(
      "/api/v1/keys",
      jsonInit("POST", { name: "app", scopes, senders: ["*@x.example"] }),
    );
    assertEquals([status, body.key.role, body.key.send], [201, role, send]);
    assertEquals(body.key.senders, ["*@x.example"]);
  }
  const both = jsonInit("POST", { name: "app", role: "viewer", scopes: ["send"] });
  assertEquals((await admin.json("/api/v1/keys", both)).status, 400);
  assertEquals((await admin.json("/api/v1/keys", jsonInit("POST", { name: "app" }))).status, 400);
});

Deno.test("submission: a repeated request gets the first one's answer", async () => {
  await using admin = await adminSetup();
  const init = jsonInit("POST", LETTER);
  const headers = { ...init.headers as Record<string, string>, "idempotency-key": `"known"` };
  const response = await admin.request(PATH, { ...init, headers });
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("idempotent-replayed"), "true");
  assertEquals(await response.json(), { id: "01TEST0000000001" });
  // The composed octets differ each time, so the request itself tells whether it is the same.
  await admin.request(PATH, { ...init, headers });
  const [first, second] = admin.ports.submitted;
  assert(first?.message !== second?.message);
  assertEquals(first?.fingerprint, second?.fingerprint);
  const long = { ...headers, "idempotency-key": "x".repeat(256) };
  assertEquals((await admin.request(PATH, { ...init, headers: long })).status, 400);
});

Deno.test("submission: mail may be sent later", async () => {
  await using admin = await adminSetup();
  for (const sendAt of [1_700_000_200_000, "2023-11-14T22:16:40Z", "2023-11-14T23:16:40+01:00"]) {
    await admin.json(PATH, jsonInit("POST", { ...LETTER, sendAt }));
  }
  assertEquals(
    admin.ports.submitted.map(({ holdUntilMs }) => holdUntilMs),
    [1_700_000_200_000, 1_700_000_200_000, 1_700_000_200_000],
  );
});

Deno.test("submission: every refusal has a problem of its own", async () => {
  await using admin = await adminSetup();
  const cases: [string, number][] = [
    ["refused", 422],
    ["too_large", 413],
    ["too_many_recipients", 413],
    ["later", 503],
    ["full", 507],
    ["unavailable", 503],
    ["key_taken", 422],
    ["under_way", 409],
  ];
  for (const [why, status] of cases) {
    const response = await admin.request(
      PATH,
      jsonInit("POST", { ...LETTER, to: `${why}@dest.example` }),
    );
    assertEquals(response.status, status, why);
    assertStringIncludes(response.headers.get("content-type") ?? "", "application/problem+json");
    assertEquals((await response.json()).detail, "Not to that one.");
  }
});

Deno.test("submission: what is no message is refused before it is handed in", async () => {
  await using admin = await adminSetup();
  const wrong: Record<string, unknown>[] = [
    { ...LETTER, from: "not an address" },
    { ...LETTER, to: ["a@x.example, b@x.example"] },
    { ...LETTER, subject: "a\r\nBcc: b@x.example" },
    { ...LETTER, headers: { Bcc: "b@x.example" } },
    { ...LETTER, headers: { "X-Y": "a\nb" } },
    { ...LETTER, attachments: [{ content: "no base64!" }] },
    { ...LETTER, colour: "red" },
    { ...LETTER, sendAt: "tomorrow" },
  ];
  for (const letter of wrong) {
    assertEquals((await admin.json(PATH, jsonInit("POST", letter))).status, 400);
  }
  assertEquals(admin.ports.submitted, []);
});

Deno.test("submission: a message may be larger than other requests, but not without end", async () => {
  await using admin = await adminSetup();
  const large = { ...LETTER, text: "x".repeat(1_500_000) };
  assertEquals((await admin.json(PATH, jsonInit("POST", large))).status, 201);
  const tooLarge = { ...LETTER, text: "x".repeat(5_000_000) };
  assertEquals((await admin.json(PATH, jsonInit("POST", tooLarge))).status, 413);
});
