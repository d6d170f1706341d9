import { assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import { havePeer, startPeer } from "../support/peers.ts";
import { run } from "./support.ts";

/** What bash would offer for these words, the last one being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const { out } = await run(["completions", "bash"]);
  const quoted = ["posthouse", ...words].map((word) => `'${word}'`).join(" ");
  const script = `${out}\nCOMP_WORDS=(${quoted})\nCOMP_CWORD=${words.length}\n_posthouse\n` +
    `printf '%s\\n' "\${COMPREPLY[@]}"\n`;
  await using bash = startPeer("bash", { args: ["-c", script] });
  const { code, stdout, stderr } = await bash.ended;
  assertEquals([code, stderr], [0, ""]);
  return stdout.trimEnd().split("\n");
}

Deno.test({
  name: "bash completes commands, flags and what flags allow (needs bash)",
  ignore: !havePeer("bash"),
  async fn() {
    assertEquals(await offered("ver"), ["version"]);
    assertEquals(await offered("queue", "li"), ["list"]);
    assertEquals(await offered("queue", "list", "--stat"), ["--state"]);
    assertEquals(await offered("queue", "list", "--state", "he"), ["held"]);
    assertEquals(await offered("destinations", "list", "--state", "pau"), ["paused"]);
    assertEquals(await offered("tail", "--js"), ["--json"]);
  },
});

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`completions for ${shell} name every command`, async () => {
    const { code, out } = await run(["completions", shell]);
    assertEquals(code, 0);
    for (const { name } of COMMANDS) {
      for (const word of name.split(" ")) assertStringIncludes(out, word);
    }
  });
}

Deno.test("completions need a shell that is known", async () => {
  assertEquals((await run(["completions"])).code, 2);
  assertEquals((await run(["completions", "csh"])).err, "Name one shell of bash, zsh, fish.\n");
});
