import { assertEquals } from "@std/assert";
import type { Command } from "../../src/cli/command.ts";
import { parseArguments } from "../../src/cli/flags.ts";

const COMMAND: Command = {
  name: "try",
  summary: "Try flags.",
  operands: "[WORD…]",
  flags: [
    { name: "loud", short: "l", kind: "switch", help: "" },
    { name: "name", short: "n", kind: "text", help: "" },
    { name: "tag", kind: "texts", help: "" },
    { name: "times", kind: "count", help: "" },
    { name: "wait", kind: "duration", help: "" },
    { name: "colour", kind: "text", choices: ["red", "blue"], help: "" },
  ],
  examples: [],
  run: () => 0,
};

interface Read {
  readonly loud?: boolean;
  readonly name?: string;
  readonly tags?: readonly string[];
  readonly times?: number;
  readonly waitMs?: number;
  readonly operands?: readonly string[];
}

const CASES: readonly (readonly [readonly string[], Read])[] = [
  [[], {}],
  [["--loud"], { loud: true }],
  [["-l", "-n", "x"], { loud: true, name: "x" }],
  [["--name=a=b"], { name: "a=b" }],
  [["--name", "25"], { name: "25" }],
  [["--name", "a", "--name", "b"], { name: "b" }],
  [["--tag", "a"], { tags: ["a"] }],
  [["--tag", "a", "--tag", "b", "--tag=c"], { tags: ["a", "b", "c"] }],
  [["--times", "12"], { times: 12 }],
  [["--times", "0"], { times: 0 }],
  [["--wait", "1h30m"], { waitMs: 5_400_000 }],
  // Queue ids may look like numbers.
  [["0123456789012345", "1e5"], { operands: ["0123456789012345", "1e5"] }],
  [["-"], { operands: ["-"] }],
  [["--loud", "word"], { loud: true, operands: ["word"] }],
  [["--", "--loud"], { operands: ["--loud"] }],
];

for (const [args, expected] of CASES) {
  Deno.test(`flags: ${args.join(" ") || "nothing"}`, () => {
    const parsed = parseArguments(args, COMMAND);
    const read = parsed.kind === "ok"
      ? {
        loud: parsed.flags.switch("loud"),
        name: parsed.flags.text("name"),
        tags: parsed.flags.texts("tag"),
        times: parsed.flags.number("times"),
        waitMs: parsed.flags.number("wait"),
        operands: parsed.operands,
      }
      : parsed;
    assertEquals(read, {
      loud: false,
      name: undefined,
      tags: [],
      times: undefined,
      waitMs: undefined,
      operands: [],
      ...expected,
    });
  });
}

const WRONG: readonly (readonly [readonly string[], string])[] = [
  [["--lod"], "Unknown flag --lod. Did you mean --loud?"],
  [["--no-loud"], "Unknown flag --no-loud."],
  [["--name"], "--name needs a value."],
  [["--name", "--loud"], "--name needs a value."],
  [["--times", "1.5"], `--times needs a whole number, got "1.5".`],
  [["--times=-1"], `--times needs a whole number, got "-1".`],
  [["--wait", "1x"], `--wait needs a duration such as 30s, 5m or 2d, got "1x".`],
  [["--colour", "green"], `--colour needs one of red, blue, got "green".`],
];

for (const [args, reason] of WRONG) {
  Deno.test(`wrong flags: ${args.join(" ")}`, () => {
    assertEquals(parseArguments(args, COMMAND), { kind: "wrong", reason });
  });
}
