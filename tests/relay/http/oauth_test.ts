import { assertEquals } from "@std/assert";
import { OAuthTokens } from "../../../src/relay/http/oauth.ts";
import { textBody } from "../../../src/relay/http/body.ts";
import {
  type RecordedRequest,
  type Script,
  startHttpRecorder,
} from "../../support/http_recorder.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { fetch } from "../../support/own_fetch.ts";
import { answer } from "../requests.ts";

const REQUEST = { url: "http://api.example/", headers: { "x-other": "kept" }, body: textBody("") };

function formOf({ body }: RecordedRequest): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(new TextDecoder().decode(body)));
}

/** What a token server sees of a few requests. */
async function withTokens(
  respond: (request: RecordedRequest, seen: number) => Script,
  { refreshToken, use }: {
    refreshToken?: string;
    use: (tokens: OAuthTokens, clock: ManualClock) => Promise<void>;
  },
): Promise<readonly RecordedRequest[]> {
  await using server = startHttpRecorder(respond);
  const clock = new ManualClock();
  const grant = { tokenUrl: `${server.url}/token`, clientId: "id", clientSecret: "s&cret" };
  await use(
    new OAuthTokens(refreshToken === undefined ? grant : { ...grant, refreshToken }, {
      fetch,
      clock,
    }),
    clock,
  );
  return server.requests;
}

async function tokenOf(tokens: OAuthTokens): Promise<string> {
  const result = await tokens.authorize(REQUEST);
  if (result.kind === "failed") return result.outcome.kind;
  assertEquals(result.request.headers["x-other"], "kept");
  return result.request.headers.authorization ?? "";
}

function numbered(_request: RecordedRequest, seen: number): Script {
  return answer(200, { access_token: `t${seen}`, expires_in: 3600 });
}

Deno.test("oauth: a token is kept until shortly before it ends", async () => {
  const requests = await withTokens(numbered, {
    use: async (tokens, clock) => {
      assertEquals(await tokenOf(tokens), "Bearer t0");
      await clock.advance(3_539_000);
      assertEquals(await tokenOf(tokens), "Bearer t0");
      await clock.advance(1_000);
      assertEquals(await tokenOf(tokens), "Bearer t1");
    },
  });
  assertEquals(requests.map(formOf), [
    { grant_type: "client_credentials", client_id: "id", client_secret: "s&cret" },
    { grant_type: "client_credentials", client_id: "id", client_secret: "s&cret" },
  ]);
});

Deno.test("oauth: one request for all who wait", async () => {
  const requests = await withTokens(numbered, {
    use: async (tokens) => {
      const all = await Promise.all([tokenOf(tokens), tokenOf(tokens), tokenOf(tokens)]);
      assertEquals(all, ["Bearer t0", "Bearer t0", "Bearer t0"]);
    },
  });
  assertEquals(requests.length, 1);
});

Deno.test("oauth: a refused token is replaced, but not its successor", async () => {
  const requests = await withTokens(numbered, {
    use: async (tokens) => {
      const old = { ...REQUEST, headers: { authorization: await tokenOf(tokens) } };
      tokens.refuse(old);
      assertEquals(await tokenOf(tokens), "Bearer t1");
      tokens.refuse(old);
      assertEquals(await tokenOf(tokens), "Bearer t1");
    },
  });
  assertEquals(requests.length, 2);
});

Deno.test("oauth: a new refresh token takes the place of the old one", async () => {
  const requests = await withTokens(
    (_request, seen) =>
      answer(200, { access_token: "t", expires_in: 1, refresh_token: `r${seen}` }),
    {
      refreshToken: "first",
      use: async (tokens, clock) => {
        await tokenOf(tokens);
        await clock.advance(1_000);
        await tokenOf(tokens);
      },
    },
  );
  assertEquals(requests.map((request) => formOf(request).refresh_token), ["first", "r0"]);
  assertEquals(requests.map((request) => formOf(request).grant_type), [
    "refresh_token",
    "refresh_token",
  ]);
});

Deno.test("oauth: without a token nothing goes out and nothing bounces", async () => {
  const answers: readonly Script[] = [
    answer(400, { error: "invalid_grant", error_description: "revoked" }),
    answer(401, { error: "invalid_client" }),
    answer(503, {}),
    answer(200, {}),
    { kind: "answer", status: 200, body: "<html>" },
    { kind: "close" },
  ];
  for (const script of answers) {
    await withTokens(() => script, {
      use: async (tokens) => assertEquals(await tokenOf(tokens), "broken"),
    });
  }
});

Deno.test("oauth: a failure is not kept", async () => {
  await withTokens((request, seen) => seen === 0 ? answer(503, {}) : numbered(request, seen), {
    use: async (tokens) => {
      assertEquals([await tokenOf(tokens), await tokenOf(tokens)], ["broken", "Bearer t1"]);
    },
  });
});
