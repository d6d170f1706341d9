import { assertEquals } from "@std/assert";
import type { OauthSettings } from "../../src/auth/settings.ts";
import {
  base64,
  type Bench,
  bench,
  CLIENT,
  exchangeOf,
  makeUser,
  SETTINGS,
  told,
} from "./support.ts";
import { introspectionSettings, startIssuer } from "./token/support.ts";

const alice = await makeUser({ name: "alice@example.net", password: "right" });
const bob = await makeUser({ name: "bob@example.net", enabled: false });

async function tokenBench(
  username: string,
  settings: Partial<OauthSettings> = {},
): Promise<Bench> {
  const issuer = startIssuer(() => Response.json({ active: username !== "", username }));
  const oauth = { ...introspectionSettings(issuer.url), scope: null, ...settings } as OauthSettings;
  const on = await bench({ users: [alice, bob], auth: { ...SETTINGS, oauth } });
  return {
    ...on,
    async [Symbol.asyncDispose]() {
      await on[Symbol.asyncDispose]();
      await issuer[Symbol.asyncDispose]();
    },
  };
}

async function bearerLogin(on: Bench, authzid = ""): Promise<string> {
  const exchange = exchangeOf(on, "OAUTHBEARER");
  const step = await exchange.begin(base64(`n,${authzid},\x01auth=Bearer abc\x01\x01`));
  return told(step.kind === "challenge" ? await exchange.respond("AQ==") : step);
}

Deno.test("OAUTHBEARER logs the token's user in", async () => {
  await using on = await tokenBench("Alice@example.net");
  assertEquals(await bearerLogin(on), "success alice@example.net");
  assertEquals(await bearerLogin(on, "a=alice@example.net"), "success alice@example.net");
  assertEquals(
    await bearerLogin(on, "a=bob@example.net"),
    "credentials: the token belongs to another user",
  );
});

Deno.test("XOAUTH2 logs the token's user in, and explains where it does not", async () => {
  await using on = await tokenBench("alice@example.net");
  const login = (user: string) =>
    exchangeOf(on, "XOAUTH2").begin(base64(`user=${user}\x01auth=Bearer abc\x01\x01`));
  assertEquals(told(await login("alice@example.net")), "success alice@example.net");
  assertEquals(
    told(await login("bob@example.net")),
    `challenge {"status":"401","schemes":"bearer"}`,
  );
});

Deno.test("a token that is refused, or of a user that is not here, fails", async () => {
  await using refused = await tokenBench("");
  assertEquals(await bearerLogin(refused), "credentials: the token is not active");
  await using disabled = await tokenBench("bob@example.net");
  assertEquals(await bearerLogin(disabled), `credentials: user "bob@example.net" is disabled`);
  await using unlisted = await tokenBench("carol@example.net");
  assertEquals(
    await bearerLogin(unlisted),
    "credentials: the token's user is not configured",
  );
});

Deno.test("users that are not listed may be let in, to send as themselves", async () => {
  await using on = await tokenBench("Carol@example.net", { unlistedUsers: true });
  assertEquals(await bearerLogin(on), "success carol@example.net");
  assertEquals(on.authenticator.account("carol@example.net")?.senders, ["carol@example.net"]);
  await using star = await tokenBench("*@example.net", { unlistedUsers: true });
  assertEquals(await bearerLogin(star), "credentials: the token's user is not configured");
});

Deno.test("tokens are taken over TLS alone (RFC 7628 section 4)", async () => {
  await using on = await tokenBench("alice@example.net");
  assertEquals(on.authenticator.mechanisms(CLIENT), [
    "SCRAM-SHA-256",
    "OAUTHBEARER",
    "XOAUTH2",
    "PLAIN",
    "LOGIN",
  ]);
  assertEquals(on.authenticator.start("OAUTHBEARER", { ...CLIENT, tls: false }), null);
});
