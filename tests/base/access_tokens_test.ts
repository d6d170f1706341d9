import { assertEquals } from "@std/assert";
import {
  AccessTokens,
  type FormAnswer,
  type OAuthGrant,
  type RefreshTokenKeeper,
} from "../../src/base/access_tokens.ts";
import { ManualClock } from "../support/manual_clock.ts";

const GRANT: OAuthGrant = {
  tokenUrl: "https://login.example/token",
  clientId: "relay",
  clientSecret: "s3cret",
};

/** Tokens from an endpoint that answers in turn; `forms` are what it was sent. */
function tokensFrom(grant: OAuthGrant, ...answers: FormAnswer[]) {
  const forms: string[] = [];
  const clock = new ManualClock();
  const post = (_url: string, form: URLSearchParams): Promise<FormAnswer> => {
    forms.push(form.toString());
    return Promise.resolve(answers.shift() ?? { kind: "failed", reason: "no more answers" });
  };
  return { tokens: new AccessTokens(grant, { post, clock }), forms, clock };
}

function granted(fields: Record<string, unknown>): FormAnswer {
  return { kind: "answered", status: 200, json: { token_type: "Bearer", ...fields } };
}

Deno.test("a client's token is fetched once and kept until shortly before it ends", async () => {
  const { tokens, forms, clock } = tokensFrom(
    { ...GRANT, scope: "mail.send" },
    granted({ access_token: "one", expires_in: 3600 }),
    granted({ access_token: "two" }),
  );
  const [first, second] = await Promise.all([tokens.fresh(), tokens.fresh()]);
  assertEquals([first, second], [{ kind: "token", text: "one" }, { kind: "token", text: "one" }]);
  assertEquals(forms, [
    "client_id=relay&client_secret=s3cret&grant_type=client_credentials&scope=mail.send",
  ]);
  await clock.advance(3_500_000);
  assertEquals(await tokens.fresh(), { kind: "token", text: "one" });
  await clock.advance(50_000);
  assertEquals(await tokens.fresh(), { kind: "token", text: "two" });
});

Deno.test("a user's token is fetched with a refresh token that may be replaced", async () => {
  const { tokens, forms } = tokensFrom(
    { ...GRANT, refreshToken: "r1" },
    granted({ access_token: "one", refresh_token: "r2" }),
    granted({ access_token: "two" }),
  );
  await tokens.fresh();
  tokens.refused("not this one");
  assertEquals(await tokens.fresh(), { kind: "token", text: "one" });
  tokens.refused("one");
  assertEquals(await tokens.fresh(), { kind: "token", text: "two" });
  assertEquals(forms.map((form) => new URLSearchParams(form).get("refresh_token")), ["r1", "r2"]);
});

Deno.test("why there is no token is told without the secret", async () => {
  const { tokens } = tokensFrom(
    GRANT,
    {
      ...{ kind: "answered", status: 401, retryAfterMs: 5000 },
      json: { error: "invalid_client", error_description: "No" },
    },
    { kind: "failed", reason: "timeout" },
    { kind: "answered", status: 200, json: "nonsense" },
  );
  assertEquals([await tokens.fresh(), await tokens.fresh(), await tokens.fresh()], [
    {
      ...{ kind: "failed", reason: "login.example answered 401 invalid_client No" },
      ...{ wasAnswered: true, retryAfterMs: 5000 },
    },
    { kind: "failed", reason: "no token from login.example: timeout", wasAnswered: false },
    {
      ...{ kind: "failed", reason: "login.example answered 200" },
      ...{ wasAnswered: true, retryAfterMs: undefined },
    },
  ]);
});

/** A keeper in memory, as the store of a process that goes on. */
function keeperOf(kept: string[] = []): RefreshTokenKeeper & { readonly kept: string[] } {
  return {
    kept,
    read: () => Promise.resolve(kept.at(-1) ?? null),
    keep: (token) => Promise.resolve(void kept.push(token)),
  };
}

/** Tokens with a keeper from an endpoint that knows one refresh token and gives another each time. */
function rotating(keeper: RefreshTokenKeeper, endpoint: { current: string; used: string[] }) {
  const post = (_url: string, form: URLSearchParams): Promise<FormAnswer> => {
    const given = form.get("refresh_token") ?? "";
    endpoint.used.push(given);
    if (given !== endpoint.current) {
      return Promise.resolve({ kind: "answered", status: 400, json: { error: "invalid_grant" } });
    }
    endpoint.current = `${given}+`;
    const fields = { access_token: `for ${given}`, refresh_token: endpoint.current };
    return Promise.resolve(granted(fields));
  };
  const grant = { ...GRANT, refreshToken: "r" };
  return new AccessTokens(grant, { post, clock: new ManualClock(), keeper });
}

Deno.test("a refresh token that was replaced outlives the process", async () => {
  const keeper = keeperOf();
  const endpoint = { current: "r", used: [] as string[] };
  await rotating(keeper, endpoint).fresh();
  assertEquals(keeper.kept, ["r+"]);
  const later = rotating(keeper, endpoint);
  assertEquals(await later.fresh(), { kind: "token", text: "for r+" });
  assertEquals(endpoint.used, ["r", "r+"]);
});

Deno.test("a refresh token that another process replaced is looked for where it is kept", async () => {
  const keeper = keeperOf();
  const endpoint = { current: "r", used: [] as string[] };
  let reads = 0;
  const slow: RefreshTokenKeeper = {
    keep: (token) => keeper.keep(token),
    // The other process gets its token between this one's first look and its request.
    read: async () => reads++ === 0 ? null : await keeper.read(),
  };
  const [one, other] = [rotating(keeper, endpoint), rotating(slow, endpoint)];
  await one.fresh();
  assertEquals(await other.fresh(), { kind: "token", text: "for r+" });
  assertEquals(endpoint.used, ["r", "r", "r+"]);
});

Deno.test("a refresh token that is refused and was not replaced is asked for once", async () => {
  const endpoint = { current: "another", used: [] as string[] };
  const result = await rotating(keeperOf(), endpoint).fresh();
  assertEquals(result.kind, "failed");
  assertEquals(endpoint.used, ["r"]);
});

Deno.test("a token is good for its life but a minute, of a short one for half, else for an hour", async () => {
  const rows: [fields: Record<string, unknown>, freshMs: number][] = [
    [{ expires_in: 3600 }, 3_540_000],
    [{ expires_in: "600" }, 540_000],
    [{ expires_in: 120 }, 60_000],
    [{ expires_in: 60 }, 30_000],
    [{}, 3_540_000],
    [{ expires_in: "soon" }, 3_540_000],
    [{ expires_in: 0 }, 3_540_000],
  ];
  for (const [fields, freshMs] of rows) {
    const { tokens, forms, clock } = tokensFrom(
      GRANT,
      granted({ access_token: "one", ...fields }),
      granted({ access_token: "two" }),
    );
    await tokens.fresh();
    await clock.advance(freshMs - 1);
    await tokens.fresh();
    assertEquals(forms.length, 1, JSON.stringify(fields));
    await clock.advance(1);
    await tokens.fresh();
    assertEquals(forms.length, 2, JSON.stringify(fields));
  }
});

Deno.test("a failure is not kept, an answer that is no grant gives none, and no secret is sent empty", async () => {
  const { tokens, forms } = tokensFrom(
    { ...GRANT, clientSecret: "" },
    { kind: "answered", status: 500, json: { access_token: "odd" } },
    { kind: "answered", status: 200, json: { access_token: "" } },
    { kind: "answered", status: 200, json: null },
    { kind: "answered", status: 200, json: { access_token: 7, refresh_token: "unasked" } },
    granted({ access_token: "one", refresh_token: "unasked" }),
  );
  const kinds = [];
  for (let time = 0; time < 5; time++) kinds.push((await tokens.fresh()).kind);
  assertEquals(kinds, ["failed", "failed", "failed", "failed", "token"]);
  tokens.refused("one");
  await tokens.fresh();
  const form = "client_id=relay&grant_type=client_credentials";
  assertEquals(forms, Array(6).fill(form), "a refresh token that nobody asked for is not used");
});

Deno.test("an endpoint that said nothing may have taken the refresh token: it is asked no second time", async () => {
  let asked = 0;
  const keeper = { read: () => Promise.resolve(`r${asked}`), keep: () => Promise.resolve() };
  const post = (): Promise<FormAnswer> => {
    asked++;
    return Promise.resolve({ kind: "failed", reason: "timeout" });
  };
  const grant = { ...GRANT, refreshToken: "r" };
  const tokens = new AccessTokens(grant, { post, clock: new ManualClock(), keeper });
  assertEquals((await tokens.fresh()).kind, "failed");
  assertEquals(asked, 1);
});
