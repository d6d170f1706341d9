import { assertEquals } from "@std/assert";
import { PERMISSIONS } from "../../support/relay_process.ts";
import { runPeer } from "../../support/peers.ts";

const PROJECT = new URL("../../../deno.json", import.meta.url).pathname;
const V8_FLAGS = PERMISSIONS.filter((flag) => flag.startsWith("--v8-flags="));

/** Runs a script beside this file where the flags of `deno task serve` hold. */
async function runFlagged(script: string): Promise<string> {
  const path = new URL(script, import.meta.url).pathname;
  const args = ["run", "--quiet", "--allow-read", `--config=${PROJECT}`, ...V8_FLAGS, path];
  const { code, stdout, stderr } = await runPeer(Deno.execPath(), { args });
  assertEquals(code, 0, stderr);
  return stdout;
}

Deno.test("RSA: signatures are those of the runtime, for keys of any length", async () => {
  assertEquals(await runFlagged("compare.ts"), "48 of 48 are the same\n");
});

Deno.test("RSA: threads sign with several keys, and nothing waits for them to end", async () => {
  assertEquals(await runFlagged("threads.ts"), "40 of 40 are the same, without Web Crypto\n");
});
