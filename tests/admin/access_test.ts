import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Access } from "../../src/admin/guard/access.ts";
import { FailureLimit } from "../../src/admin/guard/rate_limit.ts";
import { seededRandom } from "../../src/base/random.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { tempFolder } from "../support/peers.ts";
import { type AdminSetup, adminSetup, jsonInit, ORIGIN, REMOTE } from "./app_setup.ts";

/** Makes a key and returns its secret. */
async function keyOf(
  { ports }: AdminSetup,
  role: "viewer" | "operator" | "admin",
  expiresAtMs: number | null = null,
): Promise<string> {
  const by = "test";
  const { secret } = await ports.keys.create({ name: role, role, expiresAtMs, by });
  return secret;
}

function bearer(secret: string): HeadersInit {
  return { authorization: `Bearer ${secret}` };
}

/** Signs in as a browser does; returns the cookie to send, null when it was refused. */
async function signIn(
  admin: AdminSetup,
  fields: Record<string, string>,
  peer = REMOTE,
): Promise<{ response: Response; cookie: string | null }> {
  const response = await admin.request("/login", {
    method: "POST",
    headers: { origin: ORIGIN, "sec-fetch-site": "same-origin" },
    body: new URLSearchParams(fields),
    peer,
  });
  await response.body?.cancel();
  return { response, cookie: response.headers.get("set-cookie")?.split(";")[0] ?? null };
}

Deno.test("somebody elsewhere without credentials gets nothing", async () => {
  await using admin = await adminSetup();
  const peer = REMOTE;
  for (const path of ["/api/v1/status", "/api/v1/messages", "/api/v1/events", "/metrics"]) {
    const { status, body } = await admin.json(path, { peer });
    assertEquals([status, body.type], [401, "/problems/unauthorized"], path);
  }
  assertEquals((await admin.json("/healthz", { peer })).status, 200);
});

Deno.test("this machine needs credentials where the config says so", async () => {
  await using admin = await adminSetup({ openOnLoopback: false });
  assertEquals((await admin.json("/api/v1/me")).status, 401);
  const unix = await admin.json("/api/v1/me", { peer: { kind: "unix" } });
  assertEquals(unix.body, { kind: "open", name: "local socket", role: "admin" });
});

Deno.test("what a proxy on this machine passes on is not this machine", async () => {
  await using admin = await adminSetup();
  for (const name of ["forwarded", "x-forwarded-for", "x-real-ip", "via"]) {
    const { status } = await admin.json("/api/v1/me", { headers: { [name]: "192.0.2.1" } });
    assertEquals(status, 401, name);
  }
});

Deno.test("a key does what its role may do", async () => {
  await using admin = await adminSetup();
  const cases = [
    ["viewer", [200, 403, 403]],
    ["operator", [200, 200, 403]],
    ["admin", [200, 200, 201]],
  ] as const;
  for (const [role, expected] of cases) {
    const headers = bearer(await keyOf(admin, role));
    const peer = REMOTE;
    const flush = "/api/v1/destinations/a.example/flush";
    const newKey = jsonInit("POST", { name: "x", role: "viewer" });
    const statuses = [
      (await admin.json("/api/v1/status", { peer, headers })).status,
      (await admin.json(flush, { method: "POST", peer, headers })).status,
      (await admin.json("/api/v1/keys", {
        ...newKey,
        peer,
        headers: { ...headers, ...newKey.headers },
      })).status,
    ];
    assertEquals(statuses, [...expected], role);
  }
  assertEquals(admin.ports.calls, [
    "flush a.example by key operator",
    "flush a.example by key admin",
  ]);
});

Deno.test("keys that are wrong, revoked or expired are refused, also on this machine", async () => {
  await using admin = await adminSetup();
  const secret = await keyOf(admin, "admin");
  const passing = await keyOf(admin, "admin", admin.clock.now() + 1000);
  const status = async (headers: HeadersInit) =>
    (await admin.json("/api/v1/me", { headers })).status;
  assertEquals(await status(bearer(secret)), 200);
  assertEquals(await status(bearer(secret.slice(0, -1) + "_")), 401);
  assertEquals(await status({ authorization: "Basic YTpi" }), 401);
  assertEquals(await status(bearer("")), 401);
  assertEquals(await status(bearer(passing)), 200);
  await admin.clock.advance(1000);
  assertEquals(await status(bearer(passing)), 401);
  const [key] = await admin.ports.keys.list();
  await admin.ports.keys.revoke(key?.id ?? "");
  assertEquals(await status(bearer(secret)), 401);
});

Deno.test("guessing keys is slowed down for who guesses", async () => {
  await using admin = await adminSetup();
  const secret = await keyOf(admin, "admin");
  const peer = REMOTE;
  const guess = async () =>
    (await admin.json("/api/v1/me", { peer, headers: bearer("guess") })).status;
  for (let count = 0; count < 10; count++) assertEquals(await guess(), 401);
  const refused = await admin.request("/api/v1/me", { peer, headers: bearer(secret) });
  assertEquals(refused.status, 429);
  assertEquals(refused.headers.get("retry-after"), "30");
  await refused.body?.cancel();
  const other = { ...peer, address: "192.0.2.8" } as const;
  const elsewhere = await admin.json("/api/v1/me", { peer: other, headers: bearer(secret) });
  assertEquals(elsewhere.status, 200);
  await admin.clock.advance(30_000);
  const later = await admin.json("/api/v1/me", { peer, headers: bearer(secret) });
  assertEquals(later.status, 200);
});

Deno.test("guessing many keys at once is no way around that, and a good key may ask at once as often", async () => {
  await using admin = await adminSetup();
  const secret = await keyOf(admin, "admin");
  const ask = async (key: string) =>
    (await admin.json("/api/v1/me", { peer: REMOTE, headers: bearer(key) })).status;
  const askAll = (keys: readonly string[]) => Promise.all(keys.map(ask));
  assertEquals(new Set(await askAll(Array(50).fill(secret))), new Set([200]));
  const guesses = Array.from({ length: 30 }, (_, index) => `guess-${index}`);
  const statuses = await askAll([...guesses, secret]);
  assertEquals(statuses.filter((status) => status === 401).length, 10);
  assertEquals(statuses.filter((status) => status === 429).length, 21);
});

Deno.test("somebody signs in, works and signs out", async () => {
  await using admin = await adminSetup();
  await admin.ports.users.put({ name: "ada", role: "operator", password: "correct horse" });
  const { response, cookie } = await signIn(admin, { name: "ada", password: "correct horse" });
  assertEquals([response.status, response.headers.get("location")], [303, "/"]);
  const set = response.headers.get("set-cookie") ?? "";
  assertMatch(set, /; HttpOnly/);
  assertMatch(set, /; SameSite=Strict/);
  assertStringIncludes(set, "Path=/");
  const headers = { cookie: cookie ?? "" };
  const me = await admin.json("/api/v1/me", { peer: REMOTE, headers });
  assertEquals(me.body, { kind: "user", name: "ada", role: "operator" });
  const out = await admin.request("/logout", {
    method: "POST",
    peer: REMOTE,
    headers: { ...headers, origin: ORIGIN },
  });
  assertEquals(out.headers.get("location"), "/login");
  assertEquals((await admin.json("/api/v1/me", { peer: REMOTE, headers })).status, 401);
});

Deno.test("a wrong password and an unknown name look the same", async () => {
  await using admin = await adminSetup();
  await admin.ports.users.put({ name: "ada", role: "admin", password: "correct horse" });
  const wrong = await signIn(admin, { name: "ada", password: "battery staple" });
  const unknown = await signIn(admin, { name: "eve", password: "battery staple" });
  const empty = await signIn(admin, { name: "ada", password: "" });
  for (const { response, cookie } of [wrong, unknown, empty]) {
    assertEquals([response.status, cookie], [401, null]);
  }
});

Deno.test("guessing passwords is slowed down", async () => {
  await using admin = await adminSetup();
  await admin.ports.users.put({ name: "ada", role: "admin", password: "correct horse" });
  for (let count = 0; count < 10; count++) await signIn(admin, { name: "ada", password: "" });
  const { response } = await signIn(admin, { name: "ada", password: "correct horse" });
  assertEquals([response.status, response.headers.get("retry-after")], [429, "30"]);
});

Deno.test("guessing many passwords at once is no way around that", async () => {
  await using admin = await adminSetup();
  await admin.ports.users.put({ name: "ada", role: "admin", password: "correct horse" });
  const guesses = Array.from(
    { length: 30 },
    (_, index) => signIn(admin, { name: "ada", password: `guess ${index}` }),
  );
  const statuses = (await Promise.all(guesses)).map(({ response }) => response.status);
  assertEquals(statuses.filter((status) => status === 401).length, 10);
  assertEquals(statuses.filter((status) => status === 429).length, 20);
});

Deno.test("whoever knows the password may sign in as often as need be", async () => {
  await using admin = await adminSetup();
  await admin.ports.users.put({ name: "ada", role: "admin", password: "correct horse" });
  for (let count = 0; count < 15; count++) {
    const { response } = await signIn(admin, { name: "ada", password: "correct horse" });
    assertEquals(response.status, 303);
  }
});

Deno.test("a key signs in too, and its session ends with it", async () => {
  await using admin = await adminSetup();
  const secret = await keyOf(admin, "viewer");
  const { cookie } = await signIn(admin, { name: "", password: secret });
  const headers = { cookie: cookie ?? "" };
  const me = await admin.json("/api/v1/me", { peer: REMOTE, headers });
  assertEquals([me.status, me.body.role], [200, "viewer"]);
  const [key] = await admin.ports.keys.list();
  await admin.json(`/api/v1/keys/${key?.id}`, { method: "DELETE" });
  assertEquals((await admin.json("/api/v1/me", { peer: REMOTE, headers })).status, 401);
});

Deno.test("sessions end with their time, their user, and a new password", async () => {
  await using admin = await adminSetup();
  const password = "correct horse";
  await admin.ports.users.put({ name: "ada", role: "admin", password });
  const status = async (cookie: string | null) =>
    (await admin.json("/api/v1/me", { peer: REMOTE, headers: { cookie: cookie ?? "" } })).status;
  const first = await signIn(admin, { name: "ada", password });
  await admin.clock.advance(12 * 3_600_000 - 1);
  assertEquals(await status(first.cookie), 200);
  await admin.clock.advance(1);
  assertEquals(await status(first.cookie), 401);

  const second = await signIn(admin, { name: "ada", password });
  await admin.json("/api/v1/users/ada", jsonInit("PUT", { role: "viewer" }));
  const me = await admin.json("/api/v1/me", {
    peer: REMOTE,
    headers: { cookie: second.cookie ?? "" },
  });
  assertEquals(me.body.role, "viewer");
  await admin.json(
    "/api/v1/users/ada",
    jsonInit("PUT", { role: "viewer", password: "new secret" }),
  );
  assertEquals(await status(second.cookie), 401);

  const third = await signIn(admin, { name: "ada", password: "new secret" });
  assertEquals(await status(third.cookie), 200);
  await admin.json("/api/v1/users/ada", { method: "DELETE" });
  assertEquals(await status(third.cookie), 401);
});

Deno.test("after signing in one comes back to a page of the relay, never elsewhere", async () => {
  await using admin = await adminSetup();
  await admin.ports.users.put({ name: "ada", role: "admin", password: "correct horse" });
  const cases = [
    ["/queue?states=held", "/queue?states=held"],
    ["//evil.example/", "/"],
    ["/\\evil.example/", "/"],
    ["https://evil.example/", "/"],
    ["/a\r\nset-cookie: x=1", "/"],
    ["javascript:alert(1)", "/"],
  ];
  for (const [next = "", expected] of cases) {
    const { response } = await signIn(admin, { name: "ada", password: "correct horse", next });
    assertEquals(response.headers.get("location"), expected, next);
  }
});

Deno.test("behind HTTPS the cookie is for HTTPS alone", async () => {
  await using admin = await adminSetup({ publicOrigin: "https://relay.example" });
  await admin.ports.users.put({ name: "ada", role: "admin", password: "correct horse" });
  const response = await admin.request("/login", {
    method: "POST",
    headers: { host: "relay.example", origin: "https://relay.example" },
    body: new URLSearchParams({ name: "ada", password: "correct horse" }),
    peer: REMOTE,
  });
  assertEquals(response.status, 303);
  const set = response.headers.get("set-cookie") ?? "";
  // The prefix keeps hosts beside this one from setting it.
  assertMatch(set, /^__Host-posthouse_session=[^;]+;.*; Path=\/.*; Secure/);
  assert(!/domain=/i.test(set));
  const status = async (cookie: string): Promise<number> => {
    const headers = { cookie, host: "relay.example", origin: "https://relay.example" };
    return (await admin.json("/api/v1/me", { peer: REMOTE, headers })).status;
  };
  const [pair = ""] = set.split(";");
  assertEquals([await status(pair), await status(pair.replace("__Host-", ""))], [200, 401]);
});

Deno.test("who goes away while it signs in leaves no error in the log", async () => {
  await using admin = await adminSetup();
  const gone = new AbortController();
  const body = new ReadableStream({
    pull(controller) {
      gone.abort();
      controller.error(new TypeError("the client went away"));
    },
  });
  const response = await admin.request("/login", {
    ...{ method: "POST", body, signal: gone.signal, peer: REMOTE },
    headers: {
      ...{ origin: ORIGIN, "sec-fetch-site": "same-origin" },
      "content-type": "application/x-www-form-urlencoded",
    },
  });
  assertEquals(response.status, 400);
  assertEquals(admin.events.filter(({ type }) => type === "trouble"), []);
});

Deno.test("guesses from many networks are slowed for the user, but not where the user is known", () => {
  const clock = new ManualClock();
  const limit = new FailureLimit({ clock });
  limit.fail("192.0.2.7", "ada");
  limit.forgive("192.0.2.7", "ada");
  const guesses = Array.from({ length: 120 }, (_, guess) => `198.18.${guess >> 1}.1`);
  const isLetIn = guesses.map((address) => {
    if (limit.waitMs(address, "ada") > 0) return false;
    limit.fail(address, "ada");
    return true;
  });
  assertEquals(isLetIn.filter(Boolean).length, 100);
  assertEquals(isLetIn.slice(100), Array(20).fill(false));
  assertEquals(limit.waitMs("203.0.113.1", "ada") > 0, true);
  assertEquals(limit.waitMs("203.0.113.1", "bob"), 0);
  assertEquals(limit.waitMs("192.0.2.7", "ada"), 0);
  clock.advance(6_000);
  assertEquals(limit.waitMs("203.0.113.1", "ada"), 0);
});

Deno.test("a sign-in counts for the name that it gives", async () => {
  await using admin = await adminSetup();
  await admin.ports.users.put({ name: "ada", role: "admin", password: "correct horse" });
  const statuses: number[] = [];
  for (let network = 0; network < 5; network++) {
    const peer = { ...REMOTE, address: `198.18.${network}.1` };
    const guess = { name: "ada".padEnd(300, "x"), password: "guess" };
    const tries = Array.from({ length: 24 }, () => signIn(admin, guess, peer));
    statuses.push(...(await Promise.all(tries)).map(({ response }) => response.status));
  }
  // Ten from each address; a name that is too long is not looked at, and its guesses count.
  assertEquals(statuses.filter((status) => status === 401).length, 50);
  const right = { name: "ada", password: "correct horse" };
  assertEquals((await signIn(admin, right)).response.status, 303);
});

Deno.test("a new user needs a password of some length", async () => {
  await using admin = await adminSetup();
  const without = await admin.json("/api/v1/users/ada", jsonInit("PUT", { role: "admin" }));
  assertEquals([without.status, without.body.errors[0].field], [400, "password"]);
  const short = await admin.json(
    "/api/v1/users/ada",
    jsonInit("PUT", { role: "admin", password: "short" }),
  );
  assertEquals(short.status, 400);
});

Deno.test("the file of keys and users holds no secrets, and only its owner reads it", async () => {
  await using folder = await tempFolder();
  const path = `${folder.path}/access.json`;
  const access = new Access({ path, clock: new ManualClock(), random: seededRandom(1) });
  assertEquals(await access.hasCredentials(), false);
  const { secret } = await access.keys.create({
    name: "ci",
    role: "viewer",
    expiresAtMs: null,
    by: "t",
  });
  await access.users.put({ name: "ada", role: "admin", password: "correct horse" });
  assertEquals(await access.hasCredentials(), true);
  const text = await Deno.readTextFile(path);
  assert(!text.includes("correct horse") && !text.includes(secret.split("_").at(-1) ?? ""));
  assertMatch(text, /"passwordHash": "\$scrypt\$ln=15,r=8,p=1\$/);
  assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
});

Deno.test("what another process changes in the file of keys holds at once", async () => {
  await using folder = await tempFolder();
  const path = `${folder.path}/access.json`;
  const options = { path, clock: new ManualClock() };
  const relay = new Access({ ...options, random: seededRandom(1) });
  const tool = new Access({ ...options, random: seededRandom(2) });
  const by = "tool";
  const made = await tool.keys.create({ name: "ci", role: "viewer", expiresAtMs: null, by });
  assertEquals((await relay.keys.verify(made.secret))?.name, "ci");
  await tool.keys.revoke(made.key.id);
  assertEquals(await relay.keys.verify(made.secret), null);
});

Deno.test("tokens of the config are keys that only the config changes", async () => {
  await using folder = await tempFolder();
  const token = "a-token-of-twenty-chars";
  const access = new Access({
    path: `${folder.path}/access.json`,
    clock: new ManualClock(),
    random: seededRandom(1),
    tokens: [{
      ...{ name: "prometheus", role: "viewer", send: false, token },
      ...{ senders: null, senderCheck: "both" },
    }],
  });
  assertEquals((await access.keys.verify(token))?.role, "viewer");
  assertEquals(await access.keys.verify(`${token}x`), null);
  assertEquals(await access.keys.revoke("config-prometheus"), false);
  access.replaceTokens([]);
  assertEquals(await access.keys.verify(token), null);
});

/** The status of a request in the session that `credentials` began, asked for after `change`. */
async function statusAfter(
  credentials: { name: string; password: string },
  { admin, change }: { admin: AdminSetup; change: () => Promise<unknown> },
): Promise<number> {
  const { cookie } = await signIn(admin, credentials);
  const init = { peer: REMOTE, headers: { cookie: cookie ?? "" } };
  assertEquals((await admin.json("/api/v1/me", init)).status, 200);
  await change();
  return (await admin.json("/api/v1/me", init)).status;
}

Deno.test("a session outlives neither the time of its key nor its secret", async () => {
  await using admin = await adminSetup();
  const expiresAtMs = admin.clock.now() + 60_000;
  const request = { name: "short", role: "viewer", expiresAtMs, by: "test" } as const;
  const { secret: password } = await admin.ports.keys.create(request);
  const change = () => admin.clock.advance(60_000);
  assertEquals(await statusAfter({ name: "", password }, { admin, change }), 401);
});

Deno.test("a session ends when its password is changed by other means, or its user made anew", async () => {
  await using admin = await adminSetup();
  const { users } = admin.ports;
  const ada = { name: "ada", role: "admin", password: "correct horse" } as const;
  await users.put(ada);
  const changed = () => users.put({ ...ada, password: "battery staple" });
  assertEquals(await statusAfter(ada, { admin, change: changed }), 401);
  await users.put(ada);
  const anew = async () => {
    await users.remove("ada");
    await users.put(ada);
  };
  assertEquals(await statusAfter(ada, { admin, change: anew }), 401);
  const sameAgain = () => users.put({ name: "ada", role: "viewer" });
  assertEquals(await statusAfter(ada, { admin, change: sameAgain }), 200);
});

Deno.test("a stream of events ends with what it was allowed by", async () => {
  await using admin = await adminSetup();
  const { keys, users } = admin.ports;
  const { key, secret } = await keys.create({
    ...{ name: "watch", role: "viewer", expiresAtMs: null, by: "test" },
  });
  await users.put({ name: "ada", role: "admin", password: "correct horse" });
  const { cookie } = await signIn(admin, { name: "ada", password: "correct horse" });
  for (
    const [headers, change] of [
      [{ authorization: `Bearer ${secret}` }, () => keys.revoke(key.id)],
      [{ cookie: cookie ?? "" }, () => users.remove("ada")],
    ] as const
  ) {
    const response = await admin.request("/api/v1/events", { peer: REMOTE, headers });
    const reader = response.body?.getReader();
    assertEquals((await reader?.read())?.done, false);
    await admin.clock.advance(15_000);
    assertEquals((await reader?.read())?.done, false); // a sign of life
    await change();
    const end = (async () => {
      for (;;) if ((await reader?.read())?.done !== false) return;
    })();
    await admin.clock.advance(15_000);
    await end;
  }
});
