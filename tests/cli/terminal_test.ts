/** What commands show on a terminal, and what elsewhere: colours, widths, bars, questions. */
import { assertEquals, assertMatch } from "@std/assert";
import type { Command } from "../../src/cli/command.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { parseArguments } from "../../src/cli/flags.ts";
import { commandHelp, groupOverview, overview, usageOf } from "../../src/cli/help.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { ProgressBar } from "../../src/cli/progress.ts";
import { isAgreed } from "../../src/cli/question.ts";
import { hasColors, styleOf } from "../../src/cli/style.ts";
import { counted, cut, pad, printable, relativeTime, widthOf, wrap } from "../../src/cli/text.ts";

interface Wanted {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly isTerminal?: boolean;
  readonly columns?: number;
  readonly answer?: string | null;
}

/** The surroundings of a command, and what it wrote. */
function surroundings({ args = [], env = {}, isTerminal = false, columns = 80, answer }: Wanted) {
  const written = { out: "", err: "" };
  const io: CliIo = {
    args,
    terminal: {
      ...{ stdin: isTerminal, stdout: isTerminal, stderr: isTerminal },
      ...{ columns: () => columns, rows: () => 30 },
    },
    env: (name) => env[name],
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    log: () => {},
    stdin: {
      readAll: () => Promise.resolve(new Uint8Array()),
      readLine: () => Promise.resolve(answer ?? null),
      readSecret: () => Promise.resolve(null),
      onKey: () => () => {},
    },
    hostname: () => "a.example",
    readTextFile: () => Promise.resolve(""),
    readFile: () => Promise.resolve(new Uint8Array()),
    onSignal: () => () => {},
    onDefect: () => () => {},
  };
  return { io, written };
}

const PLAIN = styleOf(surroundings({}).io);

Deno.test("colours: on a terminal alone, and not against the user's wish", () => {
  const rows: [Wanted, boolean][] = [
    [{ isTerminal: true }, true],
    [{ isTerminal: true, env: { NO_COLOR: "" } }, true],
    [{ isTerminal: true, env: { NO_COLOR: "1" } }, false],
    [{ isTerminal: true, env: { TERM: "dumb" } }, false],
    [{ isTerminal: true, env: { TERM: "xterm" } }, true],
    [{}, false],
  ];
  for (const [wanted, expected] of rows) {
    const { io } = surroundings(wanted);
    for (const stream of ["stdout", "stderr"] as const) {
      assertEquals(hasColors(io, stream), expected, JSON.stringify(wanted));
    }
    assertEquals(styleOf(io).red("x"), expected ? "\x1b[31mx\x1b[39m" : "x");
  }
  const style = styleOf(surroundings({ isTerminal: true }).io, "stderr");
  const marks = ["bold", "dim", "red", "green", "yellow", "cyan"] as const;
  assertEquals(marks.map((mark) => style[mark]("x").replaceAll("\x1b", "")), [
    ...["[1mx[22m", "[2mx[22m", "[31mx[39m", "[32mx[39m", "[33mx[39m", "[36mx[39m"],
  ]);
  assertEquals(marks.map((mark) => style[mark]("")), ["", "", "", "", "", ""]);
  const mixed = surroundings({}).io;
  const onlyErr = { ...mixed, terminal: { ...mixed.terminal, stderr: true } };
  assertEquals([styleOf(onlyErr).red("x"), styleOf(onlyErr, "stderr").red("x").length], ["x", 11]);
});

Deno.test("text: cut, filled and broken at the very column", () => {
  const rows: [actual: unknown, expected: unknown][] = [
    [cut("abc", 3), "abc"],
    [cut("abcd", 3), "ab…"],
    [cut("abcd", 1), "…"],
    [cut("abcd", 0), ""],
    [cut("", 0), ""],
    [cut("你好", 3), "你…"],
    [cut("你好", 2), "…"],
    [pad("abc", 3), "abc"],
    [pad("abcd", 3), "abcd"],
    [pad("a", 2, "right"), " a"],
    [wrap("aa bb", 5), ["aa bb"]],
    [wrap("aa bbb", 5), ["aa", "bbb"]],
    [wrap("", 5), [""]],
    [wrap("longer a", 5), ["longer", "a"]],
    [widthOf("ａ\u200b"), 2],
    [printable("a\n\t\x7f\x9f\u2028b\u2066"), "a b "],
    [
      [-1, 0, 1, 1_000].map((count) => counted(count, "key")).join(),
      "-1 keys,0 keys,1 key,1,000 keys",
    ],
  ];
  for (const [actual, expected] of rows) assertEquals(actual, expected);
});

Deno.test("times: the largest unit that fits, past and future", () => {
  const rows: [number, string][] = [
    ...[[999, "now"], [-999, "now"], [1_000, "in 1s"], [-1_000, "1s ago"]] as const,
    ...[[59_999, "in 59s"], [60_000, "in 1m"], [3_599_999, "in 59m"], [
      3_600_000,
      "in 1h",
    ]] as const,
    ...[[86_399_999, "in 23h"], [-86_400_000, "1d ago"], [-8_640_000_000, "100d ago"]] as const,
  ].map(([ms, text]) => [ms, text]);
  for (const [ms, text] of rows) assertEquals(relativeTime(1e12 + ms, 1e12), text);
});

Deno.test("questions: only yes is yes", async () => {
  const rows: [string | null, boolean][] = [
    ...[["y", true], ["Y", true], ["yes", true], [" YES ", true]] as const,
    ...[["", false], ["n", false], ["ye", false], ["yess", false], ["no y", false]] as const,
    [null, false],
  ].map(([answer, isYes]) => [answer as string | null, isYes as boolean]);
  for (const [answer, isYes] of rows) {
    const { io, written } = surroundings({ answer });
    assertEquals(await isAgreed(io, "Delete it?"), isYes, String(answer));
    assertEquals(written, { out: "", err: "Delete it? [y/N] " });
  }
});

Deno.test("a bar shows its share on a terminal, is removed, and is nowhere else", () => {
  const shown = (columns: number, done: number, total?: number): string => {
    const { io, written } = surroundings({ isTerminal: true, columns, env: { NO_COLOR: "1" } });
    {
      using bar = new ProgressBar(io, { label: "Mail", ...(total === undefined ? {} : { total }) });
      bar.update(done);
    }
    return written.err.replaceAll("\x1b[K", "|");
  };
  const bar = (filled: number, empty: number) => "█".repeat(filled) + "░".repeat(empty);
  assertEquals(shown(80, 1, 3), `\rMail ${bar(10, 20)} 1/3|\r|`);
  assertEquals(shown(200, 1, 1), `\rMail ${bar(40, 0)} 1/1|\r|`);
  assertEquals(shown(20, 0, 1), `\rMail ${bar(0, 10)} 0/1|\r|`);
  assertEquals(shown(80, 5, 1), `\rMail ${bar(30, 0)} 5/1|\r|`);
  assertEquals(shown(80, 0), `\rMail ${bar(30, 0)} 0/0|\r|`);
  const { io, written } = surroundings({});
  {
    using bar = new ProgressBar(io, { label: "Mail" });
    bar.update(1, 2);
  }
  assertEquals(written.err, "");
  const unused = surroundings({ isTerminal: true });
  new ProgressBar(unused.io, { label: "Mail" })[Symbol.dispose]();
  assertEquals(unused.written.err, "");
});

function command(name: string, more: Partial<Command> = {}): Command {
  const examples = [{ command: name, does: "Do it." }];
  return { name, summary: `Do ${name}.`, flags: [], examples, run: () => 0, ...more };
}

Deno.test("the help of a command, to the character", () => {
  const text = commandHelp(
    command("try it", {
      operands: "[ID…]",
      details: "Tries.",
      flags: [
        { name: "loud", short: "l", kind: "switch", help: "Be loud." },
        { name: "to", kind: "text", value: "WHO", choices: ["a", "b"], help: "Whom." },
        { name: "tag", kind: "texts", help: "A tag." },
      ],
    }),
    PLAIN,
  );
  assertEquals(
    text,
    `Do try it.

Usage: posthouse try it [ID…] [FLAGS]

Tries.

Flags:
  -l, --loud       Be loud.
      --to WHO     Whom. One of a, b.
      --tag VALUE  A tag. May be repeated.
  -h, --help       Show this help.

Examples:
  # Do it.
  posthouse try it
`,
  );
  assertEquals(usageOf(command("x")), "posthouse x [FLAGS]");
  const group = groupOverview([command("user list"), command("user add")], PLAIN);
  assertEquals(
    group,
    `Usage: posthouse user COMMAND [FLAGS]

Commands:
  user list  Do user list.
  user add   Do user add.

Without a command, lists. posthouse user COMMAND --help describes a command.
`,
  );
  assertEquals(groupOverview([command("dkim add")], PLAIN).includes("lists"), false);
  assertMatch(
    overview([command("odd"), command("send"), command("queue list")], PLAIN),
    /\nMail in the queue:\n {2}send {8}Do send\.\n {2}queue list {2}Do queue list\.\n\nMore:\n {2}odd {9}Do odd\.\n\nWithout/,
  );
});

Deno.test("which command runs, with which arguments, and the exit status", async () => {
  const ran: string[] = [];
  const named = (name: string, operands?: string): Command =>
    command(name, {
      ...(operands === undefined ? {} : { operands }),
      run: ({ operands }) => {
        ran.push([name, ...operands].join("|"));
        return 1;
      },
    });
  const commands = [
    ...[named("serve"), named("version"), named("queue list", "[ID…]"), named("queue hold", "ID")],
    ...[named("dkim check"), named("user"), named("user add"), named("send", "FILE")],
  ];
  const rows: [args: string, code: number, ran: string][] = [
    ["", 1, "serve"],
    ["--version", 1, "version"],
    ["-V", 1, "version"],
    ["queue", 1, "queue list"],
    ["queue list a b", 1, "queue list|a|b"],
    ["queue hold a", 1, "queue hold|a"],
    ["send a", 1, "send|a"],
    ["user", 1, "user"],
    ["user add", 1, "user add"],
    ["--help", 0, ""],
    ["-h", 0, ""],
    ["help", 0, ""],
    ["help queue hold", 0, ""],
    ["queue --help", 0, ""],
    ["queue -h", 0, ""],
    ["dkim --help", 0, ""],
    ["dkim", 2, ""],
    ["dkim chekc", 2, ""],
    ["user ad", 2, ""],
    ["version now", 2, ""],
    ["serve --odd", 2, ""],
    ["nothing", 2, ""],
  ];
  for (const [args, code, expected] of rows) {
    ran.length = 0;
    const { io, written } = surroundings({ args: args === "" ? [] : args.split(" ") });
    assertEquals(await dispatch(io, commands), code, args);
    assertEquals(ran.join(), expected, args);
    assertEquals([written.out !== "", written.err !== ""], [code === 0, code === 2], args);
  }
});

Deno.test("flags: values that are none are refused, and of a repeated one the last counts", () => {
  const tried = command("try", {
    flags: [
      { name: "size", kind: "size", help: "" },
      { name: "times", kind: "count", help: "" },
      { name: "tag", kind: "texts", choices: ["a", "b"], help: "" },
    ],
  });
  const wrong = (...args: string[]): string => {
    const parsed = parseArguments(args, tried);
    return parsed.kind === "wrong" ? parsed.reason : parsed.kind;
  };
  assertEquals(
    wrong("--size", "1 XB"),
    `--size needs a size such as 512, 64KiB or 25MiB, got "1 XB".`,
  );
  assertEquals(
    wrong("--times", "1234567890123456"),
    `--times needs a whole number, got "1234567890123456".`,
  );
  assertEquals(wrong("--times="), "--times needs a whole number.");
  assertEquals(wrong("--tag", "a", "--tag", "c"), `--tag needs one of a, b, got "a, c".`);
  assertEquals(wrong("x"), `Unexpected argument "x".`);
  assertEquals(wrong("-z"), "Unknown flag -z.");
  assertEquals(wrong("--help", "x"), "help");
  const parsed = parseArguments(
    ["--size", "1KiB", "--size", "2KiB", "--times", "1", "--tag", "b"],
    tried,
  );
  if (parsed.kind !== "ok") throw new Error(parsed.kind);
  const { flags } = parsed;
  assertEquals([flags.number("size"), flags.number("times"), flags.texts("tag")], [2048, 1, ["b"]]);
  assertEquals([flags.text("size"), flags.texts("times"), flags.switch("tag")], [
    undefined,
    [],
    false,
  ]);
});
