import { assertEquals } from "@std/assert";
import { oauthBearer, xOAuth2 } from "../../../src/auth/client/bearer.ts";
import { cramMd5 } from "../../../src/auth/client/cram_md5.ts";
import type { ClientExchange } from "../../../src/auth/client/exchange.ts";
import { login } from "../../../src/auth/client/login.ts";
import { plain } from "../../../src/auth/client/plain.ts";
import { saltedPasswords, scramSha256 } from "../../../src/auth/client/scram.ts";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";

const TIM = { username: "tim", password: "tanstaaftanstaaf" };

/** What the client says, first and to each challenge; null where it gives up. */
async function say(exchange: ClientExchange, ...challenges: string[]): Promise<(string | null)[]> {
  const text = (octets: Uint8Array | null) => octets === null ? null : decodeText(octets);
  const said = [text(exchange.initial)];
  for (const challenge of challenges) {
    said.push(text(await exchange.respond(encodeText(challenge))));
  }
  return said;
}

Deno.test("PLAIN says everything at once", async () => {
  assertEquals(await say(plain(TIM), "more?"), ["\0tim\0tanstaaftanstaaf", null]);
});

Deno.test("LOGIN answers two prompts", async () => {
  const exchange = login(TIM);
  assertEquals(exchange.isComplete, false);
  const said = await say(exchange, "Username:", "Password:", "Again:");
  assertEquals(said, [null, "tim", "tanstaaftanstaaf", null]);
  assertEquals(exchange.isComplete, true);
});

Deno.test("CRAM-MD5 answers as in RFC 2195", async () => {
  const challenge = "<1896.697170952@postoffice.reston.mci.net>";
  assertEquals(await say(cramMd5(TIM), challenge), [
    null,
    "tim b913a602c7eda7a495b4e6e7334d3890",
  ]);
});

Deno.test("OAUTHBEARER says as in RFC 7628, with names escaped", async () => {
  const exchange = oauthBearer({ username: "user=a,b@example.com", token: "vF9dft4qmT" });
  assertEquals(await say(exchange), [
    "n,a=user=3Da=2Cb@example.com,\x01auth=Bearer vF9dft4qmT\x01\x01",
  ]);
  assertEquals(exchange.isComplete, true);
});

Deno.test("a token that is refused is no success, whatever comes then", async () => {
  const bearer = oauthBearer({ username: "user", token: "t" });
  assertEquals((await say(bearer, `{"status":"invalid_token"}`)).at(-1), "\x01");
  assertEquals(bearer.isComplete, false);
  const google = xOAuth2({ username: "user", token: "t" });
  const said = await say(google, `{"status":"401"}`, "?");
  assertEquals(said, ["user=user\x01auth=Bearer t\x01\x01", "", null]);
});

/** RFC 7677 section 3. */
const NONCE = "rOprNGfwEbeRWgbNEkqO";
const SERVER_NONCE = `${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`;
const SERVER_FIRST = `r=${SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const PENCIL = { username: "user", password: "pencil" };

function scram(): ClientExchange {
  return scramSha256(PENCIL, { nonce: NONCE, salted: saltedPasswords() });
}

Deno.test("SCRAM-SHA-256 goes as in RFC 7677", async () => {
  const exchange = scram();
  const final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
  assertEquals(await say(exchange, SERVER_FIRST), [
    `n,,n=user,r=${NONCE}`,
    `c=biws,r=${SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
  ]);
  assertEquals(exchange.isComplete, false);
  assertEquals(await exchange.respond(encodeText(final)), encodeText(""));
  assertEquals(exchange.isComplete, true);
});

const FALSE_SERVERS: readonly [name: string, ...challenges: string[]][] = [
  ["another nonce", "r=xyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"],
  ["no nonce of its own", `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
  ["too few rounds", `r=${SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1`],
  ["too many rounds", `r=${SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999`],
  ["no salt", `r=${SERVER_NONCE},s=,i=4096`],
  ["an extension that must be understood", `m=x,${SERVER_FIRST}`],
  ["a wrong signature", SERVER_FIRST, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5="],
  ["an error", SERVER_FIRST, "e=other-error"],
];
for (const [name, ...challenges] of FALSE_SERVERS) {
  Deno.test(`SCRAM-SHA-256 gives up on a server with ${name}`, async () => {
    const exchange = scram();
    assertEquals((await say(exchange, ...challenges)).at(-1), null);
    assertEquals(exchange.isComplete, false);
  });
}

Deno.test("a password is stretched once for each salt", async () => {
  const salted = saltedPasswords();
  const salt = encodeText("salt");
  const first = salted("pencil", { salt, iterations: 4096 });
  assertEquals(salted("pencil", { salt, iterations: 4096 }) === first, true);
  assertEquals(salted("pencil", { salt, iterations: 4097 }) === first, false);
  await first;
});
