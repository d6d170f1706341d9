import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createAdminApp } from "../../src/admin/app.ts";
import { dashboard } from "../../src/admin/views/dashboard.tsx";
import { idOf } from "../queue/messages.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { type AdminSetup, adminSetup, jsonInit, ORIGIN, REMOTE } from "./app_setup.ts";
import { fakePorts } from "./fake_ports.ts";
import { mailOf } from "./sample_mail.ts";

const SCRIPT = `"><script>alert(1)</script>`;
const FLUSH = "/api/v1/destinations/a.example/flush";

Deno.test("every answer has the header fields that keep browsers safe", async () => {
  await using admin = await adminSetup();
  await admin.ports.store.put(mailOf(1, "Subject: x\r\n\r\nx\r\n"));
  const paths = [
    "/api/v1/status",
    "/api/v1/nothing",
    "/login",
    "/healthz",
    `/api/v1/messages/${idOf(1)}/raw`,
    `/api/v1/messages/${idOf(1)}/html`,
    "/api/v1/messages/wrong",
  ];
  for (const path of paths) {
    const { headers, body } = await admin.request(path);
    await body?.cancel();
    assertEquals(headers.get("x-content-type-options"), "nosniff", path);
    assertMatch(headers.get("referrer-policy") ?? "", /^(no-referrer|same-origin)$/, path);
    assertEquals(headers.get("cross-origin-resource-policy"), "same-origin", path);
    assertMatch(headers.get("x-frame-options") ?? "", /^(DENY|SAMEORIGIN)$/, path);
    assertEquals(headers.get("access-control-allow-origin"), null, path);
    const policy = headers.get("content-security-policy") ?? "";
    assertStringIncludes(policy, "default-src 'none'", path);
    assert(!/unsafe-eval|script-src[^;]*unsafe|\*/.test(policy), policy);
  }
});

Deno.test("script in subject, headers, addresses and names is text in JSON and never HTML", async () => {
  await using admin = await adminSetup();
  const mail = [
    `From: ${SCRIPT} <a@b.example>`,
    `Subject: ${SCRIPT}`,
    `X-${"Odd"}: ${SCRIPT}`,
    `Content-Type: application/x-odd; name="${SCRIPT.replaceAll('"', "'")}"`,
    "",
    "x",
  ].join("\r\n");
  await admin.ports.store.put(
    mailOf(1, mail, { to: [`${SCRIPT}@dest.example`], reversePath: `${SCRIPT}@x.example` }),
  );
  for (const path of ["/api/v1/messages", `/api/v1/messages/${idOf(1)}`]) {
    const response = await admin.request(path);
    assertEquals(response.headers.get("content-type"), "application/json");
    assertStringIncludes(await response.text(), `\\"><script>`);
  }
  const { body } = await admin.json(`/api/v1/messages/${idOf(1)}/attachments`);
  for (const { filename, mediaType } of body.items) {
    assert(!/[<>"]/.test(filename), filename);
    assertEquals(mediaType, "application/x-odd");
  }
});

Deno.test("a page of ours that shows what others wrote escapes it", async () => {
  await using admin = await adminSetup();
  const next = encodeURIComponent(`/${SCRIPT}`);
  const page = await (await admin.request(`/login?next=${next}`)).text();
  assert(!page.includes("<script>"), page);
  assertStringIncludes(page, "&lt;script&gt;");
});

Deno.test("attachments that a browser could run are only ever downloads", async () => {
  await using admin = await adminSetup();
  const types = ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript"];
  const parts = types.map((type) =>
    `--b\r\nContent-Type: ${type}\r\nContent-Disposition: attachment\r\n\r\n<script>1</script>\r\n`
  );
  const mail = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts.join("")}--b--\r\n`;
  await admin.ports.store.put(mailOf(1, mail));
  for (const index of types.keys()) {
    const { headers, body } = await admin.request(
      `/api/v1/messages/${idOf(1)}/attachments/${index}`,
    );
    await body?.cancel();
    assertEquals(headers.get("content-type"), "application/octet-stream", types[index]);
    assertMatch(headers.get("content-disposition") ?? "", /^attachment; /);
    assertStringIncludes(headers.get("content-security-policy") ?? "", "sandbox");
  }
});

Deno.test("names of attachments lead nowhere and end no header field", async () => {
  await using admin = await adminSetup();
  const names = [
    "../../../etc/passwd",
    "..\\..\\windows\\system32\\a.dll",
    "/etc/shadow",
    "C:\\autoexec.bat",
    "a\r\nSet-Cookie: x=1",
    'a"; filename="b.exe',
    "a%0d%0aSet-Cookie:x=1",
    ".htaccess",
    "..",
    "con.txt",
    "safe\u202Excod.exe",
    "x".repeat(5000) + ".pdf",
    "\u0000null.txt",
    "\ud800.txt",
  ];
  const parts = names.map((name) =>
    `--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; ` +
    `filename*=utf-8''${encodeURIComponent(name.toWellFormed())}\r\n\r\nx\r\n`
  );
  const mail = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts.join("")}--b--\r\n`;
  await admin.ports.store.put(mailOf(1, mail));
  const { body } = await admin.json(`/api/v1/messages/${idOf(1)}/attachments`);
  assertEquals(body.items.length, names.length);
  for (const { index, filename } of body.items) {
    const why = `${names[index]} became ${filename}`;
    // deno-lint-ignore no-control-regex -- that there are none is what is tested
    assert(!/[/\\\u0000-\u001f\u202e"]|^\.|^con\./i.test(filename), why);
    assert(filename.length > 0 && filename.length <= 121, why);
    const response = await admin.request(`/api/v1/messages/${idOf(1)}/attachments/${index}`);
    await response.body?.cancel();
    assertEquals(response.headers.get("set-cookie"), null, why);
    assertMatch(
      response.headers.get("content-disposition") ?? "",
      /^attachment; filename="[^"\\%\r\n]*"(?:; filename\*=UTF-8''[\w!#$&+.^`|~%-]*)?$/,
      why,
    );
  }
});

Deno.test("another site cannot make a browser change something", async () => {
  await using admin = await adminSetup();
  const attempts: HeadersInit[] = [
    { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    { origin: "https://evil.example" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "null" },
    { origin: ORIGIN, "sec-fetch-site": "cross-site" },
    { origin: "http://127.0.0.1:9999" },
    { origin: "http://127.0.0.1.evil.example:8025" },
  ];
  for (const headers of attempts) {
    const { status, body } = await admin.json(FLUSH, { method: "POST", headers });
    assertEquals([status, body.type], [403, "/problems/cross-site"], JSON.stringify(headers));
  }
  assertEquals(admin.ports.calls, []);
  const own = { origin: ORIGIN, "sec-fetch-site": "same-origin" };
  assertEquals((await admin.json(FLUSH, { method: "POST", headers: own })).status, 200);
});

Deno.test("a session alone changes nothing: the request must say that it comes from here", async () => {
  await using admin = await adminSetup();
  await admin.ports.users.put({ name: "ada", role: "admin", password: "correct horse" });
  const login = await admin.request("/login", {
    method: "POST",
    headers: { origin: ORIGIN },
    body: new URLSearchParams({ name: "ada", password: "correct horse" }),
  });
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  const bare = await admin.json(FLUSH, { method: "POST", peer: REMOTE, headers: { cookie } });
  assertEquals(bare.status, 403);
  const headers = { cookie, origin: ORIGIN };
  assertEquals((await admin.json(FLUSH, { method: "POST", peer: REMOTE, headers })).status, 200);
});

Deno.test("another site cannot sign a browser in or out", async () => {
  await using admin = await adminSetup();
  for (const path of ["/login", "/logout"]) {
    const { status } = await admin.json(path, {
      method: "POST",
      headers: { origin: "https://evil.example" },
      body: new URLSearchParams({ name: "eve", password: "x" }),
    });
    assertEquals(status, 403, path);
  }
});

Deno.test("a name that points to this machine opens nothing (DNS rebinding)", async () => {
  await using admin = await adminSetup();
  const evil = await admin.json("http://evil.example:8025/api/v1/messages");
  assertEquals([evil.status, evil.body.type], [421, "/problems/misdirected"]);
  for (const host of ["localhost:8025", "127.0.0.1:8025", "[::1]:8025", "relay.localhost:8025"]) {
    assertEquals((await admin.json(`http://${host}/api/v1/me`)).status, 200, host);
  }
  await using named = await adminSetup({ publicOrigin: "https://relay.example" });
  assertEquals((await named.json("http://relay.example/api/v1/me")).status, 200);
});

Deno.test("paths lead nowhere but to routes", async () => {
  await using admin = await adminSetup();
  const paths = [
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/assets/..%2f..%2fdeno.json",
    "/api/v1/../../../etc/passwd",
    "/api/v1/messages/..%2f..%2fetc%2fpasswd",
    "/api/v1/messages/%00",
    "/api/v1/messages/%ff%fe",
    "/api/v1//messages",
    "/API/v1/messages",
  ];
  for (const path of paths) {
    const response = await admin.request(path);
    const text = await response.text();
    assert([400, 404].includes(response.status), `${path}: ${response.status}`);
    assert(!text.includes("root:"), path);
  }
});

Deno.test("bodies that are too large are refused, with and without a length", async () => {
  await using admin = await adminSetup();
  const path = "/api/v1/messages/actions/hold";
  const large = JSON.stringify({ filter: { sender: "x".repeat(2_000_000) } });
  const known = await admin.json(path, jsonInit("POST", large));
  assertEquals([known.status, known.body.type], [413, "/problems/body-too-large"]);
  const stream = await admin.json(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: ReadableStream.from(chunksOf(large)),
  });
  assertEquals(stream.status, 413);
});

async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += 10_000) {
    yield await Promise.resolve(new TextEncoder().encode(text.slice(at, at + 10_000)));
  }
}

Deno.test("malformed requests are told what is wrong with them", async () => {
  await using admin = await adminSetup();
  const actions = "/api/v1/messages/actions/hold";
  const deep = `{"filter":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
  const cases: [path: string, init: RequestInit, status: number, kind: string][] = [
    [actions, jsonInit("POST", "{"), 400, "malformed-body"],
    [actions, jsonInit("POST", ""), 400, "malformed-body"],
    [actions, jsonInit("POST", "null"), 400, "invalid-request"],
    [actions, jsonInit("POST", deep), 400, "invalid-request"],
    [actions, { method: "POST", body: "filter=x" }, 415, "unsupported-media-type"],
    [actions, { method: "POST" }, 415, "unsupported-media-type"],
    [actions, jsonInit("POST", { filter: { domian: "x" } }), 400, "invalid-request"],
    [actions, jsonInit("POST", `{"filter":{"__proto__":{"x":1}}}`), 400, "invalid-request"],
    ["/api/v1/messages/actions/explode", jsonInit("POST", { filter: {} }), 400, "invalid-request"],
    ["/api/v1/messages?limit=0", {}, 400, "invalid-request"],
    ["/api/v1/messages?limit=1e9", {}, 400, "invalid-request"],
    ["/api/v1/messages?limit=5&limit=6", {}, 400, "invalid-request"],
    ["/api/v1/messages?colour=red", {}, 400, "invalid-request"],
    ["/api/v1/messages?cursor=%27%20OR%201=1", {}, 400, "invalid-request"],
    ["/api/v1/messages?domain=a%0d%0ab", {}, 400, "invalid-request"],
    ["/api/v1/messages?states=gone", {}, 400, "invalid-request"],
    [`/api/v1/messages?${"ids=0123456789ABCDEF&".repeat(2000)}`, {}, 400, "invalid-request"],
  ];
  for (const [path, init, status, kind] of cases) {
    const { status: got, body } = await admin.json(path, init);
    assertEquals([got, body.type], [status, `/problems/${kind}`], `${path} ${init.body}`);
  }
  assertEquals(admin.events, []);
});

Deno.test("everything wrong with a request is listed by field", async () => {
  await using admin = await adminSetup();
  const { body } = await admin.json(
    "/api/v1/messages/actions/hold?dry_run=maybe",
    jsonInit("POST", {}),
  );
  assertEquals(
    body.errors.map(({ in: place, field }: { in: string; field: string }) => [
      place,
      field,
    ]),
    [["query", "dry_run"]],
  );
  const two = await admin.json(
    "/api/v1/messages/actions/hold",
    jsonInit("POST", { filter: { domain: 5, states: ["odd"] } }),
  );
  assertEquals(
    two.body.errors.map(({ field }: { field: string }) => field),
    ["filter.states.0", "filter.domain"],
  );
});

Deno.test("methods that do not fit are told which do", async () => {
  await using admin = await adminSetup();
  const response = await admin.request("/api/v1/messages", { method: "DELETE" });
  assertEquals(response.status, 405);
  assertEquals(response.headers.get("allow"), "GET, POST, HEAD");
  assertEquals((await response.json()).type, "/problems/method-not-allowed");
  const head = await admin.request("/api/v1/status", { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  assertEquals((await admin.json("/api/v1/nothing")).body.type, "/problems/not-found");
});

Deno.test("what fails inside tells the client nothing and the log everything", async () => {
  await using admin = await adminSetup();
  await admin.ports.store[Symbol.asyncDispose]();
  const { status, body } = await admin.json("/api/v1/messages");
  assertEquals([status, body.type, body.detail], [503, "/problems/unavailable", undefined]);
  const [event] = admin.events;
  assert(event?.type === "trouble");
  assertEquals(event.message, "Cannot answer GET /api/v1/messages");
});

Deno.test("mail that is made to break parsers breaks nothing", async () => {
  await using admin = await adminSetup();
  const cases: Record<string, string> = {
    deep: nested(500),
    unended: "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx",
    boundaries: `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\n".repeat(20_000)}`,
    headers: `${"X-A: b\r\n".repeat(50_000)}\r\nx`,
    longHeader: `Subject: ${"=?utf-8?Q?=41?= ".repeat(50_000)}\r\n\r\nx`,
    base64: "Content-Transfer-Encoding: base64\r\n\r\n====!!!\u0000",
    charset: "Content-Type: text/plain; charset=x-no-such\r\n\r\nx",
    empty: "",
    noBody: "Subject: x",
  };
  let number = 0;
  for (const [name, mail] of Object.entries(cases)) {
    number++;
    await admin.ports.store.put(mailOf(number, mail));
    for (const part of ["headers", "text", "html", "attachments", "raw"]) {
      const response = await admin.request(`/api/v1/messages/${idOf(number)}/${part}`);
      await response.body?.cancel();
      assert([200, 404, 422].includes(response.status), `${name} ${part}: ${response.status}`);
    }
  }
  assertEquals(admin.events, []);
});

function nested(depth: number): string {
  let mail = "";
  for (let level = 0; level < depth; level++) {
    mail += `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`;
  }
  return `${mail}\r\nx`;
}

Deno.test("stolen octets: nobody without a role reads mail", async () => {
  await using admin: AdminSetup = await adminSetup({ openOnLoopback: false });
  await admin.ports.store.put(mailOf(1, "Subject: secret\r\n\r\nsecret\r\n"));
  for (const part of ["", "/headers", "/text", "/html", "/raw", "/attachments", "/attachments/0"]) {
    const response = await admin.request(`/api/v1/messages/${idOf(1)}${part}`);
    assertEquals(response.status, 401, part);
    assert(!(await response.text()).includes("secret"), part);
  }
});

/** Routes that everybody may use: what is public, and the way in and out. */
const OPEN_ROUTES = [
  ...["GET /healthz", "GET /readyz", "GET /login", "POST /login", "POST /logout"],
  ...["GET /api/v1/openapi.json", "GET /assets/:version/:name"],
];
/** Changes that viewers may make. */
const VIEWER_CHANGES: readonly string[] = ["POST /login", "POST /logout"];

Deno.test("no route, of the API or the dashboard, forgets to ask who it is", async () => {
  await using ports = await fakePorts({ clock: new ManualClock(1_700_000_100_000) });
  const app = createAdminApp(ports, { openOnLoopback: false, events: () => {}, pages: dashboard });
  const { secret } = await ports.keys.create({
    ...{ name: "looks", role: "viewer", expiresAtMs: null, by: "test" },
  });
  const authorization = `Bearer ${secret}`;
  const ask = async (method: string, path: string, headers: HeadersInit): Promise<number> => {
    const init = { method, headers, ...(method === "GET" ? {} : { body: "{}" }) };
    const place = path.replaceAll(/:\w+/g, "retry").replace("*", "x");
    const response = await app.request(ORIGIN + place, init, { peer: REMOTE });
    await response.body?.cancel();
    return response.status;
  };
  const routes = new Set(
    app.routes.filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path}`),
  );
  assert(routes.size > 80);
  for (const route of routes) {
    const [method = "", path = ""] = route.split(" ");
    const status = await ask(method, path, { "content-type": "application/json" });
    if (!OPEN_ROUTES.includes(route)) assert([401, 303].includes(status), `${route}: ${status}`);
    if (method === "GET" || VIEWER_CHANGES.includes(route)) continue;
    const refused = await ask(method, path, { authorization, "content-type": "application/json" });
    assertEquals(refused, 403, route);
  }
  assertEquals(ports.calls, []);
});
