import { assert, assertEquals } from "@std/assert";
import { refreshTokens } from "../../src/app/refresh_tokens.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { openSqliteStore } from "../../src/queue/sqlite/store.ts";
import { tempFolder } from "../support/peers.ts";

const GRANT = {
  tokenUrl: "https://login.example/token",
  clientId: "relay",
  clientSecret: "s3cret",
  refreshToken: "configured-refresh-token",
};

Deno.test("refresh tokens: what was kept is found by the same grant only", async () => {
  const { shelf } = openMemoryStore();
  const errors: unknown[] = [];
  const keepers = refreshTokens({ shelf, onError: (error) => void errors.push(error) });
  assertEquals(await keepers(GRANT).read(), null);
  await keepers(GRANT).keep("renewed");
  await keepers(GRANT).keep("renewed again");
  assertEquals(await keepers(GRANT).read(), "renewed again");
  assertEquals(await keepers({ ...GRANT, refreshToken: "another" }).read(), null);
  assertEquals(await keepers({ ...GRANT, clientId: "another" }).read(), null);
  assertEquals(errors, []);
});

Deno.test("refresh tokens: one that was tampered with is reported and left alone", async () => {
  const { shelf } = openMemoryStore();
  const errors: unknown[] = [];
  const keeper = refreshTokens({ shelf, onError: (error) => void errors.push(error) })(GRANT);
  await keeper.keep("renewed");
  const [entry] = await shelf.list({ space: "refresh token", limit: 1 });
  assert(entry !== undefined);
  const octets = Uint8Array.fromBase64(entry.value);
  octets[20] = (octets[20] ?? 0) ^ 1;
  await shelf.put("refresh token", { ...entry, value: octets.toBase64() });
  assertEquals(await keeper.read(), null);
  assertEquals(errors.length, 1);
});

Deno.test("refresh tokens: the store's files hold none in clear, and belong to their owner", async () => {
  await using folder = await tempFolder();
  {
    await using store = await openSqliteStore({ folder: folder.path });
    const keeper = refreshTokens({ shelf: store.shelf, onError: () => {} })(GRANT);
    await keeper.keep("a-renewed-refresh-token");
  }
  for await (const { name, isFile } of Deno.readDir(folder.path)) {
    if (!isFile) continue;
    const text = new TextDecoder("latin1").decode(await Deno.readFile(`${folder.path}/${name}`));
    assert(!text.includes("refresh-token"), name);
    if (Deno.build.os === "windows" || !name.startsWith("queue.db")) continue;
    const { mode } = await Deno.stat(`${folder.path}/${name}`);
    assertEquals((mode ?? 0) & 0o077, 0, name);
  }
});
