import { assertEquals } from "@std/assert";
import { IntrospectionChecker } from "../../../src/auth/token/introspection_checker.ts";
import type { IntrospectionSettings } from "../../../src/auth/settings.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { introspectionSettings, startIssuer } from "./support.ts";

const { signal } = new AbortController();

function bench(answer: unknown, settings: Partial<IntrospectionSettings> = {}) {
  const issuer = startIssuer(() => Response.json(answer));
  const clock = new ManualClock();
  const checker = new IntrospectionChecker(
    { ...introspectionSettings(issuer.url), ...settings },
    { clock, fetch },
  );
  return {
    issuer,
    clock,
    async check(token = "abc"): Promise<string> {
      const result = await checker.check(token, signal);
      return result.kind === "valid" ? `valid ${result.user}` : `${result.kind}: ${result.cause}`;
    },
    [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose](),
  };
}

Deno.test("an active token is its user's (RFC 7662 section 2)", async () => {
  await using on = bench({ active: true, username: "alice" });
  assertEquals(await on.check("a.b+c/d="), "valid alice");
  const [request] = on.issuer.requests;
  assertEquals(request?.method, "POST");
  assertEquals(request?.body, "token=a.b%2Bc%2Fd%3D&token_type_hint=access_token");
  // RFC 6749 section 2.3.1: "post+house:s%3Acret"
  assertEquals(request?.headers.get("authorization"), `Basic ${btoa("post+house:s%3Acret")}`);
});

Deno.test("a token that is not active is invalid", async () => {
  await using on = bench({ active: false, username: "alice" });
  assertEquals(await on.check(), "invalid: the token is not active");
  await using odd = bench({ username: "alice" });
  assertEquals(await odd.check(), "invalid: the token is not active");
});

Deno.test("what is said about a good token holds for a while, never beyond its end", async () => {
  await using on = bench({ active: true, username: "alice" });
  for (let time = 0; time < 3; time++) await on.check();
  assertEquals(on.issuer.requests.length, 1);
  await on.check("other");
  assertEquals(on.issuer.requests.length, 2);
  await on.clock.advance(60_000);
  await on.check();
  assertEquals(on.issuer.requests.length, 3);
  const exp = on.clock.now() / 1000 + 10;
  on.issuer.answer = () => Response.json({ active: true, username: "alice", exp });
  await on.check("short");
  await on.clock.advance(10_000);
  assertEquals(await on.check("short"), "invalid: the token is expired");
});

Deno.test("issuer, audience and scope are looked at where they are configured", async () => {
  const answer = { active: true, username: "alice", iss: "a", aud: ["b", "c"], scope: "d e" };
  const good = { issuer: "a", audience: ["c"], scope: "e" };
  await using on = bench(answer, good);
  assertEquals(await on.check(), "valid alice");
  await using other = bench(answer, { ...good, audience: ["x"] });
  assertEquals(await other.check(), "invalid: the token is for another audience");
});

Deno.test("a server that fails makes tokens wait and is not believed for long", async () => {
  await using on = bench(null);
  assertEquals(await on.check(), "unavailable: cannot check the token: not a JSON object");
  on.issuer.answer = () => new Response(null, { status: 401 });
  assertEquals(await on.check(), "unavailable: cannot check the token: status 401");
  on.issuer.answer = () => Response.json({ active: true, username: "alice" });
  assertEquals(await on.check(), "valid alice");
});

Deno.test("a redirect is not followed, so that the secret stays", async () => {
  await using elsewhere = bench({ active: true, username: "alice" });
  await using on = bench(null);
  on.issuer.answer = () => Response.redirect(elsewhere.issuer.url, 307);
  assertEquals((await on.check()).split(":")[0], "unavailable");
  assertEquals(elsewhere.issuer.requests, []);
});

Deno.test("whatever a request fails with is told as the cause", async () => {
  for (const [thrown, cause] of [[new Error("no route"), "no route"], ["odd", "odd"]] as const) {
    const checker = new IntrospectionChecker(introspectionSettings("http://issuer.test/"), {
      clock: new ManualClock(),
      fetch: () => Promise.reject(thrown),
    });
    assertEquals(await checker.check("abc", signal), {
      ...{ kind: "unavailable", cause: `cannot check the token: ${cause}` },
    });
  }
});
