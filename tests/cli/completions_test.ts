import { assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import { havePeer, startPeer, tempFolder } from "../support/peers.ts";
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
    assertEquals(await offered("queue", "import", "--format", "mai"), ["maildir"]);
    assertEquals(await offered("init", "sys"), ["systemd"]);
    assertEquals(await offered("init", "--for", "st"), ["staging"]);
    assertEquals(await offered("restore", "--ho"), ["--hold"]);
  },
});

/** Types lines into a real zsh and tells what `posthouse` is called with; \t completes. */
const ZSH = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; fpath=($1 \\$fpath); autoload -U compinit; compinit -u -D"
zpty -w z 'posthouse() { print -r -- "GO"T:"$*":END }; print RE""ADY'
zpty -r z out '*READY*'
shift
for line in "$@"; do
  zpty -w -n z "$line"$'\\n'
  zpty -r z out '*GOT:*:END*'
  print -r -- "\${\${out##*GOT:}%%:END*}"
done
`;

Deno.test({
  name: "zsh completes what is typed (needs zsh)",
  ignore: !havePeer("zsh"),
  async fn() {
    await using folder = await tempFolder();
    const { out } = await run(["completions", "zsh"]);
    await Deno.writeTextFile(`${folder.path}/_posthouse`, out);
    const typed = {
      "posthouse que\timpo\t--form\tmaild\t": "queue import --format maildir",
      "posthouse queue list --stat\the\t": "queue list --state held",
      "posthouse init syst\t": "init systemd",
      "posthouse init --for stag\t": "init --for staging",
      "posthouse restore --hol\t": "restore --hold",
      "posthouse serve --con\t": "serve --config",
    };
    const args = ["-f", "-c", ZSH, "zsh", folder.path, ...Object.keys(typed)];
    await using zsh = startPeer("zsh", { args });
    const { stdout } = await zsh.ended;
    assertEquals(
      stdout.trimEnd().split("\n").map((line) => line.trim()),
      Object.values(typed),
    );
  },
});

Deno.test({
  name: "fish offers commands, flags and what flags allow (needs fish)",
  ignore: !havePeer("fish"),
  async fn() {
    await using folder = await tempFolder();
    const { out } = await run(["completions", "fish"]);
    await Deno.writeTextFile(`${folder.path}/posthouse.fish`, out);
    const complete = async (line: string): Promise<string[]> => {
      const script = `source ${folder.path}/posthouse.fish; complete -C '${line}'`;
      const env = { HOME: folder.path };
      await using fish = startPeer("fish", { args: ["--no-config", "-c", script], env });
      const { stdout, stderr } = await fish.ended;
      assertEquals(stderr, "");
      return stdout.trimEnd().split("\n").map((each) => each.split("\t")[0] ?? "");
    };
    assertEquals(await complete("posthouse ver"), ["version"]);
    assertEquals(await complete("posthouse queue im"), ["import"]);
    assertEquals(await complete("posthouse queue list --state he"), ["held"]);
    assertEquals(await complete("posthouse init --for st"), ["staging"]);
    assertEquals(await complete("posthouse init systemd --ho"), [""]);
    assertEquals(await complete("posthouse restore --ho"), ["--hold"]);
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
  assertEquals((await run(["completions", "csh"])).err, "Name one shell: bash, zsh, fish.\n");
});
