/** Which mechanism the relay chooses, and what becomes of its tokens. */
import { assertEquals } from "@std/assert";
import { decodeText } from "../../../src/base/bytes.ts";
import type { AccessTokens } from "../../../src/base/access_tokens.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { ServerLogin, type ServerLoginOptions } from "../../../src/auth/client/server_login.ts";

const ALL: ServerLoginOptions["mechanisms"] = [
  ...["SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER", "CRAM-MD5", "LOGIN", "PLAIN"] as const,
];

function loginOf(
  secret: ServerLoginOptions["secret"],
  mechanisms: ServerLoginOptions["mechanisms"] = ALL,
): ServerLogin {
  return new ServerLogin({
    ...{ username: "ada", secret, mechanisms, allowPlain: false, random: seededRandom(1) },
  });
}

async function chosen(login: ServerLogin, ...offered: string[]): Promise<string> {
  const begun = await login.begin(offered);
  if (begun.kind === "unusable") return begun.reason;
  const { mechanism, initial } = begun.exchange;
  return `${mechanism}${initial === null ? "" : ` ${decodeText(initial)}`}`;
}

const PASSWORD = { kind: "password", password: "secret" } as const;

Deno.test("server login: a password goes by the first mechanism of ours that the server has", async () => {
  const login = loginOf(PASSWORD);
  assertEquals(await chosen(login, "PLAIN", "LOGIN"), "LOGIN");
  assertEquals(await chosen(login, "PLAIN"), "PLAIN \0ada\0secret");
  assertEquals(await chosen(login, "PLAIN", "CRAM-MD5"), "CRAM-MD5");
  const scram = await chosen(login, "SCRAM-SHA-256");
  assertEquals(/^SCRAM-SHA-256 n,,n=ada,r=[A-Za-z0-9+/]{24}$/.test(scram), true, scram);
});

Deno.test("server login: a password is no token, and a token no password", async () => {
  const none = "no mechanism in common with XOAUTH2, OAUTHBEARER";
  assertEquals(await chosen(loginOf(PASSWORD), "XOAUTH2", "OAUTHBEARER"), none);
  const { login } = withTokens({ kind: "fresh", text: "T" });
  assertEquals(await chosen(login, "PLAIN"), "no mechanism in common with PLAIN");
});

function withTokens(
  result: { kind: "fresh"; text: string } | { kind: "failed"; reason: string },
  mechanisms = ALL,
) {
  const refused: string[] = [];
  const tokens = {
    fresh: () => Promise.resolve(result),
    refused: (text: string) => void refused.push(text),
  } as unknown as AccessTokens;
  return { login: loginOf({ kind: "oauth", tokens }, mechanisms), refused };
}

Deno.test("server login: a token goes in the form of its mechanism", async () => {
  const { login } = withTokens({ kind: "fresh", text: "T" });
  assertEquals(
    await chosen(login, "XOAUTH2", "OAUTHBEARER"),
    "XOAUTH2 user=ada\x01auth=Bearer T\x01\x01",
  );
  assertEquals(
    await chosen(login, "OAUTHBEARER"),
    "OAUTHBEARER n,a=ada,\x01auth=Bearer T\x01\x01",
  );
});

Deno.test("server login: a token that was refused is forgotten, that one", async () => {
  const { login, refused } = withTokens({ kind: "fresh", text: "T" });
  await login.begin(["XOAUTH2"]);
  login.refused();
  assertEquals(refused, ["T"]);
  loginOf(PASSWORD).refused();
});

Deno.test("server login: without a token nothing begins", async () => {
  const { login } = withTokens({ kind: "failed", reason: "cannot refresh" });
  assertEquals(await chosen(login, "XOAUTH2"), "cannot refresh");
});
