import { assertEquals } from "@std/assert";
import { AccessTokens, type FormAnswer, type OAuthGrant } from "../../src/base/access_tokens.ts";
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
