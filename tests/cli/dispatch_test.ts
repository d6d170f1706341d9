import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import { parseArguments } from "../../src/cli/flags.ts";
import { run } from "./support.ts";

Deno.test("--help lists every command", async () => {
  for (const args of [["--help"], ["-h"], ["help", "--help"]]) {
    const { code, out } = await run(args);
    assertEquals(code, 0);
    for (const { name, summary } of COMMANDS) {
      assertStringIncludes(out, name);
      assertStringIncludes(out, summary);
    }
  }
});

for (const command of COMMANDS) {
  Deno.test(`posthouse ${command.name} --help shows flags and examples`, async () => {
    const { code, out, err } = await run([...command.name.split(" "), "--help"]);
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, `Usage: posthouse ${command.name}`);
    for (const { name } of command.flags) assertStringIncludes(out, `--${name}`);
    assert(command.examples.length > 0);
    for (const { command: example } of command.examples) {
      assertStringIncludes(out, `posthouse ${example}\n`);
    }
    for (const line of out.split("\n")) assert(line.length <= 100, `too long: ${line}`);
  });

  Deno.test(`the examples of posthouse ${command.name} are right`, () => {
    for (const { command: example } of command.examples) {
      const words = example.split(/ [<>] /)[0]?.split(" ") ?? [];
      const own = command.name.split(" ");
      assertEquals(words.slice(0, own.length), own);
      assertEquals(parseArguments(words.slice(own.length), command).kind, "ok", example);
    }
  });
}

Deno.test("help COMMAND is the command's help", async () => {
  assertEquals(await run(["help", "queue", "list"]), await run(["queue", "list", "--help"]));
});

Deno.test("--version is the version command", async () => {
  assertEquals(await run(["--version"]), await run(["version"]));
});

const WRONG: readonly (readonly [readonly string[], string])[] = [
  [["chekc"], "Unknown command chekc. Did you mean check? See posthouse --help.\n"],
  [["zzz"], "Unknown command zzz. See posthouse --help.\n"],
  [["quue"], "Unknown command quue. Did you mean queue? See posthouse --help.\n"],
  [
    ["queue", "lsit"],
    "Unknown command queue lsit. Did you mean queue list? See posthouse --help.\n",
  ],
  [
    ["check", "--jsno"],
    "Unknown flag --jsno. Did you mean --json?\nUsage: posthouse check [FLAGS]\n",
  ],
  [["check", "-x"], "Unknown flag -x.\nUsage: posthouse check [FLAGS]\n"],
  [
    ["--conifg", "a"],
    "Unknown flag --conifg. Did you mean --config?\nUsage: posthouse serve [FLAGS]\n",
  ],
  [["check", "that"], `Unexpected argument "that".\nUsage: posthouse check [FLAGS]\n`],
  [["check", "--config"], "--config needs a value.\nUsage: posthouse check [FLAGS]\n"],
  [
    ["demo", "--messages", "many"],
    `--messages needs a whole number, got "many".\nUsage: posthouse demo [FLAGS]\n`,
  ],
  [
    ["queue", "list", "--older-than", "long"],
    `--older-than needs a duration such as 30s, 5m or 2d, got "long".\n` +
    "Usage: posthouse queue list [ID…] [FLAGS]\n",
  ],
  [
    ["queue", "list", "--state", "lost"],
    "--state needs one of queued, held, delivered, failed, expired, cancelled, " +
    `got "lost".\nUsage: posthouse queue list [ID…] [FLAGS]\n`,
  ],
];

for (const [args, expected] of WRONG) {
  Deno.test(`posthouse ${args.join(" ")} is refused`, async () => {
    assertEquals(await run(args), { code: 2, out: "", err: expected });
  });
}

Deno.test("a group that can list does, when no command is named", async () => {
  const files = { "posthouse.toml": `data_dir = "/nowhere/at/all"\n` };
  for (const group of ["queue", "key", "user"]) {
    assertEquals(await run([group], { files }), await run([group, "list"], { files }));
  }
  const asked = await run(["queue", "--help"]);
  assertStringIncludes(asked.out, "queue cancel");
  assertEquals((await run(["queue", "--json", "extra"], { files })).code, 2);
});

Deno.test("a group without a command lists its commands", async () => {
  const wrong = await run(["dkim"]);
  const asked = await run(["dkim", "--help"]);
  assertEquals([wrong.code, wrong.out], [2, ""]);
  assertEquals([asked.code, asked.err], [0, ""]);
  assertEquals(asked.out, wrong.err);
  assertStringIncludes(asked.out, "dkim generate");
  assert(!asked.out.includes("Run the relay"));
});

Deno.test("colours only on a terminal and without NO_COLOR", async () => {
  const onTerminal = await run(["--help"], { terminals: ["stdout"] });
  assertStringIncludes(onTerminal.out, "\x1b[");
  const plain = await run(["--help"]);
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
    assertEquals(await run(["--help"], { terminals: ["stdout"], env }), plain);
  }
});

Deno.test("every command that prints data or changes something takes --json", () => {
  const without = COMMANDS.filter(({ flags }) => !flags.some(({ name }) => name === "json"))
    .map(({ name }) => name);
  // Logs, and files to be kept as they are.
  assertEquals(without, [
    ...["serve", "init systemd", "init container", "init compose", "init permissions"],
    ...["init grafana", "completions"],
  ]);
});
