import { assertEquals, assertMatch } from "@std/assert";
import { JwksChecker } from "../../../src/auth/token/jwks_checker.ts";
import type { TokenResult } from "../../../src/auth/token/token_checker.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import {
  AUDIENCE,
  ISSUER,
  type Issuer,
  jwksSettings,
  makeKey,
  type SigningKey,
  startIssuer,
} from "./support.ts";

const rsa = await makeKey("RS256", "rsa");
const elliptic = await makeKey("ES256", "ec");
const edwards = await makeKey("EdDSA", "ed");
const stranger = await makeKey("ES256", "ec");
const next = await makeKey("ES256", "next");

/** A checker, its clock, and its issuer with some keys. */
interface Bench extends AsyncDisposable {
  readonly issuer: Issuer;
  readonly clock: ManualClock;
  check(token: string): Promise<TokenResult>;
  claims(changes?: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** Puts other keys into the key set. */
  publish(...keys: readonly SigningKey[]): void;
}

function bench(settings: Partial<ReturnType<typeof jwksSettings>> = {}): Bench {
  const keySet = (keys: readonly SigningKey[]) => () =>
    Response.json({ keys: [...keys.map(({ jwk }) => jwk), { kty: "oct", k: "AAAA" }, 7] });
  const issuer = startIssuer(keySet([rsa, elliptic, edwards]));
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const checker = new JwksChecker({ ...jwksSettings(issuer.url), ...settings }, {
    clock,
    fetch,
    signal,
  });
  return {
    issuer,
    clock,
    check: (token) => checker.check(token),
    claims: (changes = {}) => ({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: "1234",
      email: "alice@example.net",
      exp: clock.now() / 1000 + 300,
      ...changes,
    }),
    publish: (...keys) => void (issuer.answer = keySet(keys)),
    [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose](),
  };
}

function told(result: TokenResult): string {
  return result.kind === "valid" ? `valid ${result.user}` : `${result.kind}: ${result.cause}`;
}

for (const [name, key] of Object.entries({ RS256: rsa, ES256: elliptic, EdDSA: edwards })) {
  Deno.test(`a token signed with ${name} is its user's`, async () => {
    await using on = bench();
    const token = await key.sign(on.claims());
    assertEquals(told(await on.check(token)), "valid alice@example.net");
  });
}

Deno.test("keys are fetched once and kept", async () => {
  await using on = bench();
  const token = await rsa.sign(on.claims());
  await Promise.all([on.check(token), on.check(token), on.check(token)]);
  await on.check(token);
  assertEquals(on.issuer.requests.map(({ method }) => method), ["GET"]);
});

const WRONG_CLAIMS: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ["expired", { exp: 1 }, "the token is expired"],
  ["without an end", { exp: undefined }, "the token has no time of expiry"],
  ["with an end that is text", { exp: "2999" }, "the token has no time of expiry"],
  ["not valid yet", { nbf: 4e9 }, "the token is not valid yet"],
  ["of another issuer", { iss: "https://evil.example/" }, "the token has another issuer"],
  ["without issuer", { iss: undefined }, "the token has another issuer"],
  ["for another audience", { aud: ["other"] }, "the token is for another audience"],
  ["without audience", { aud: undefined }, "the token is for another audience"],
  ["without a user", { email: undefined }, "the token has no claim email"],
  ["with a user that is no text", { email: 7 }, "the token has no claim email"],
];

for (const [what, changes, cause] of WRONG_CLAIMS) {
  Deno.test(`a token ${what} is invalid and costs no request`, async () => {
    await using on = bench();
    assertEquals(told(await on.check(await rsa.sign(on.claims(changes)))), `invalid: ${cause}`);
    assertEquals(on.issuer.requests, []);
  });
}

Deno.test("clocks may be apart by the skew", async () => {
  await using on = bench();
  const seconds = on.clock.now() / 1000;
  assertEquals((await on.check(await rsa.sign(on.claims({ exp: seconds - 59 })))).kind, "valid");
  assertEquals((await on.check(await rsa.sign(on.claims({ nbf: seconds + 59 })))).kind, "valid");
  assertEquals((await on.check(await rsa.sign(on.claims({ exp: seconds - 60 })))).kind, "invalid");
});

Deno.test("a scope that is asked for must be there", async () => {
  await using on = bench({ scope: "smtp.send" });
  const scopes = [{}, { scope: "mail" }, { scope: "mail smtp.send" }, { scp: ["smtp.send"] }];
  const kinds: string[] = [];
  for (const scope of scopes) kinds.push((await on.check(await rsa.sign(on.claims(scope)))).kind);
  assertEquals(kinds, ["invalid", "invalid", "valid", "valid"]);
});

Deno.test("a token signed by somebody else is invalid", async () => {
  await using on = bench();
  const token = await stranger.sign(on.claims());
  assertEquals(told(await on.check(token)), "invalid: the token is signed by an unknown key");
});

Deno.test("a token whose claims were changed is invalid", async () => {
  await using on = bench();
  const [header, , signature] = (await rsa.sign(on.claims())).split(".");
  const [, claims] = (await rsa.sign(on.claims({ email: "root@example.net" }))).split(".");
  const token = [header, claims, signature].join(".");
  assertEquals(told(await on.check(token)), "invalid: the token is signed by an unknown key");
});

Deno.test("algorithms that are not taken are refused: none, HS256, and those of another key", async () => {
  await using on = bench();
  for (const alg of ["none", "HS256", "RS512"]) {
    const token = await rsa.sign(on.claims(), { alg });
    assertMatch(told(await on.check(token)), /^invalid: the token is signed with an algorithm/);
  }
  const confused = await elliptic.sign(on.claims(), { alg: "RS256" });
  assertEquals(told(await on.check(confused)), "invalid: the token is signed by an unknown key");
  const critical = await rsa.sign(on.claims(), { crit: ["exp"] });
  assertEquals(told(await on.check(critical)), "invalid: the token has critical extensions");
});

for (const token of ["", "a", "a.b", "a.b.c", "a.b.c.d", "e30.e30.", "e30.W10.AAAA"]) {
  Deno.test(`${JSON.stringify(token)} is no token`, async () => {
    await using on = bench();
    assertEquals((await on.check(token)).kind, "invalid");
    assertEquals(on.issuer.requests, []);
  });
}

Deno.test("a new key is fetched when a token names it, at most every half minute", async () => {
  await using on = bench();
  await on.check(await rsa.sign(on.claims()));
  on.publish(rsa, next);
  const token = await next.sign(on.claims());
  assertEquals((await on.check(token)).kind, "invalid"); // asked a moment ago
  await on.clock.advance(30_000);
  assertEquals(told(await on.check(token)), "valid alice@example.net");
  assertEquals(on.issuer.requests.length, 2);
  const unknown = await next.sign(on.claims(), { kid: "unknown" });
  for (let time = 0; time < 5; time++) await on.check(unknown);
  assertEquals(on.issuer.requests.length, 2);
});

Deno.test("a key that was withdrawn is not taken once the keys are fetched again", async () => {
  await using on = bench();
  assertEquals((await on.check(await rsa.sign(on.claims()))).kind, "valid");
  on.publish(next);
  await on.clock.advance(3_600_000);
  assertEquals((await on.check(await rsa.sign(on.claims()))).kind, "invalid");
});

Deno.test("while the issuer is down, keys that are known serve on", async () => {
  await using on = bench();
  await on.check(await rsa.sign(on.claims()));
  on.issuer.answer = () => new Response(null, { status: 503 });
  await on.clock.advance(3_600_000);
  assertEquals((await on.check(await rsa.sign(on.claims()))).kind, "valid");
  await on.clock.advance(86_400_000);
  const late = await on.check(await rsa.sign(on.claims()));
  assertEquals(told(late), "unavailable: cannot fetch the keys of tokens: status 503");
});

const FAILURES: readonly (readonly [string, Issuer["answer"], string])[] = [
  ["answers 500", () => new Response(null, { status: 500 }), "status 500"],
  ["answers no JSON", () => new Response("<html>"), "not a JSON object"],
  ["answers no key set", () => Response.json({}), "no key set"],
  ["sends too much", () => new Response(new Uint8Array(2 << 20)), "more than 1048576 octets"],
];

for (const [what, answer, cause] of FAILURES) {
  Deno.test(`an issuer that ${what} makes tokens wait`, async () => {
    await using on = bench();
    on.issuer.answer = answer;
    const result = await on.check(await rsa.sign(on.claims()));
    assertEquals(told(result), `unavailable: cannot fetch the keys of tokens: ${cause}`);
  });
}

Deno.test("an issuer that does not answer is given up", async () => {
  await using on = bench();
  const asked = Promise.withResolvers<void>();
  const go = Promise.withResolvers<Response>();
  on.issuer.answer = () => {
    asked.resolve();
    return go.promise;
  };
  const waiting = on.check(await rsa.sign(on.claims()));
  await asked.promise;
  await on.clock.advance(5000);
  assertEquals(
    told(await waiting),
    "unavailable: cannot fetch the keys of tokens: no answer in time",
  );
  go.resolve(new Response());
});
