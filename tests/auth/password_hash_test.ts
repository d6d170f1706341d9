import { assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { decodeText } from "../../src/base/bytes.ts";
import {
  DEFAULT_COST,
  formatPasswordHash,
  hashPassword,
  parsePasswordHash,
} from "../../src/auth/password_hash.ts";
import {
  formatScramKeys,
  hmacSha256,
  makeScramKeys,
  parseScramKeys,
} from "../../src/auth/scram_keys.ts";
import { havePeer, runPeer } from "../support/peers.ts";

const salt = new TextEncoder().encode("SodiumChloride");

Deno.test("scrypt gives the vector of RFC 7914 section 12", async () => {
  const recipe = { logCost: 14, blockSize: 8, parallelization: 1, salt };
  const digest = await hashPassword("pleaseletmein", recipe);
  assertEquals(
    Buffer.from(digest).toString("hex"),
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2",
  );
});

Deno.test("a hash is written as a PHC string and read back", async () => {
  const recipe = { logCost: 4, blockSize: 8, parallelization: 2, salt };
  const hash = { recipe, digest: await hashPassword("secret", recipe) };
  const text = formatPasswordHash(hash);
  assertMatch(text, /^\$scrypt\$ln=4,r=8,p=2\$U29kaXVtQ2hsb3JpZGU\$[A-Za-z0-9+/]{43}$/);
  const read = parsePasswordHash(text);
  assertEquals(Buffer.from(read?.digest ?? []), Buffer.from(hash.digest));
  assertEquals(decodeText(read?.recipe.salt ?? new Uint8Array()), "SodiumChloride");
});

const DIGEST = "A".repeat(43);

for (
  const text of [
    "",
    "secret",
    `$argon2id$ln=4,r=8,p=1$c2FsdA$${DIGEST}`,
    `$scrypt$ln=4,r=8,p=1$c2FsdA$AAAA`,
    `$scrypt$ln=4,r=8,p=1$c2Fsd$${DIGEST}`,
    `$scrypt$ln=4,r=8,p=1$c2FsdA==$${DIGEST}`,
    `$scrypt$ln=0,r=8,p=1$c2FsdA$${DIGEST}`,
    `$scrypt$ln=4,r=0,p=1$c2FsdA$${DIGEST}`,
    `$scrypt$ln=4,r=8,p=0$c2FsdA$${DIGEST}`,
    `$scrypt$ln=30,r=8,p=1$c2FsdA$${DIGEST}`,
    `$scrypt$r=8,ln=4,p=1$c2FsdA$${DIGEST}`,
    `$scrypt$ln=4,r=8,p=1$c2FsdA$${DIGEST} `,
  ]
) {
  Deno.test(`${JSON.stringify(text)} is no hash`, () => {
    assertEquals(parsePasswordHash(text), null);
  });
}

Deno.test("SCRAM keys are written as RFC 5803 has them and read back", async () => {
  const keys = await makeScramKeys("pencil", {
    salt: new Uint8Array(Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64")),
    iterations: 4096,
  });
  const text = formatScramKeys(keys);
  assertMatch(text, /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$[^:]{44}:[^:]{44}$/);
  const read = parseScramKeys(text);
  assertEquals(read === null ? null : formatScramKeys(read), text);
  assertEquals(parseScramKeys(text.replace("4096", "0")), null);
  assertEquals(parseScramKeys(text.slice(0, -1)), null);
  assertEquals(parseScramKeys(text.replace("256", "1")), null);
});

Deno.test("HMAC-SHA-256 gives the second vector of RFC 4231 section 4.3", () => {
  const text = new TextEncoder();
  const mac = hmacSha256(text.encode("Jefe"), text.encode("what do ya want for nothing?"));
  assertEquals(
    Buffer.from(mac).toString("hex"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

const PYTHON = `
import base64, hashlib, sys
phc, password = sys.argv[1:]
_, name, params, salt, digest = phc.split("$")
assert name == "scrypt"
cost = dict(part.split("=") for part in params.split(","))
unpad = lambda text: base64.b64decode(text + "=" * (-len(text) % 4))
found = hashlib.scrypt(password.encode(), salt=unpad(salt), n=2 ** int(cost["ln"]),
  r=int(cost["r"]), p=int(cost["p"]), maxmem=2 ** 28, dklen=32)
print(found == unpad(digest))
`;

Deno.test({
  name: "Python verifies a hash of the default cost (needs python3)",
  ignore: !havePeer("python3"),
  async fn() {
    const recipe = { ...DEFAULT_COST, salt: crypto.getRandomValues(new Uint8Array(16)) };
    const digest = await hashPassword("grüße", recipe);
    const phc = formatPasswordHash({ recipe, digest });
    for (const [password, expected] of [["grüße", "True\n"], ["grusse", "False\n"]] as const) {
      const { stdout, stderr } = await runPeer("python3", { args: ["-c", PYTHON, phc, password] });
      assertEquals([stdout, stderr], [expected, ""]);
    }
  },
});
