import { assertEquals } from "@std/assert";
import { styleOf } from "../../src/cli/style.ts";
import { type Column, formatTable } from "../../src/cli/table.ts";
import { counted, cut, pad, printable, relativeTime, widthOf, wrap } from "../../src/cli/text.ts";

const PLAIN = styleOf({
  terminal: { stdin: false, stdout: false, stderr: false, columns: () => Infinity, rows: () => 30 },
  env: () => undefined,
  args: [],
  out: () => {},
  err: () => {},
  log: () => {},
  stdin: {
    readAll: () => Promise.resolve(new Uint8Array()),
    readLine: () => Promise.resolve(null),
    readSecret: () => Promise.resolve(null),
    onKey: () => () => {},
  },
  hostname: () => "a.example",
  readTextFile: () => Promise.resolve(""),
  readFile: () => Promise.resolve(new Uint8Array()),
  onSignal: () => () => {},
  onDefect: () => () => {},
});

const COLUMNS: readonly Column<readonly [string, string, string]>[] = [
  { header: "ID", cell: ([id]) => id },
  { header: "N", cell: ([, number]) => number, align: "right" },
  { header: "TEXT", cell: ([, , text]) => text, minWidth: 4 },
];

const ROWS = [["a", "1", "short"], ["bcd", "1000", "a rather long text"]] as const;

Deno.test("a table has columns as wide as their cells", () => {
  assertEquals(
    formatTable(ROWS, { columns: COLUMNS, width: Infinity, style: PLAIN }),
    "ID      N  TEXT\na       1  short\nbcd  1000  a rather long text\n",
  );
});

Deno.test("a table leaves columns out where it cannot fit otherwise", () => {
  const columns = COLUMNS.map((column, index) => ({ ...column, leaves: index }));
  const text = (width: number): string => formatTable(ROWS, { columns, width, style: PLAIN });
  assertEquals(text(15), "ID      N  TEXT\na       1  sho…\nbcd  1000  a r…\n");
  assertEquals(text(14), "ID      N\na       1\nbcd  1000\n");
  assertEquals(text(8), "ID\na\nbcd\n");
});

Deno.test("a table is cut to the terminal where it may be", () => {
  assertEquals(
    formatTable(ROWS, { columns: COLUMNS, width: 20, style: PLAIN }),
    "ID      N  TEXT\na       1  short\nbcd  1000  a rather…\n",
  );
  assertEquals(
    formatTable(ROWS, { columns: COLUMNS, width: 5, style: PLAIN }),
    "ID      N  TEXT\na       1  sho…\nbcd  1000  a r…\n",
  );
});

Deno.test("text is measured as a terminal shows it", () => {
  assertEquals(["abc", "äö", "你好", "e\u0301", "🎉"].map(widthOf), [3, 2, 4, 1, 2]);
  assertEquals(cut("你好世界", 5), "你好…");
  assertEquals(pad("你", 4), "你  ");
  assertEquals(pad("7", 3, "right"), "  7");
});

Deno.test("what could move the cursor is not printed", () => {
  assertEquals(printable("a\x1b[31mb\r\nc\u202ed"), "a [31mb c d");
});

Deno.test("running text is broken at words", () => {
  assertEquals(wrap("one two three four", 9), ["one two", "three", "four"]);
});

Deno.test("counts and times read well", () => {
  assertEquals([0, 1, 2, 12_345].map((count) => counted(count, "message")), [
    "0 messages",
    "1 message",
    "2 messages",
    "12,345 messages",
  ]);
  const nowMs = 1_000_000_000;
  assertEquals(
    [0, 1_500, 90_000, -7_200_000, 172_800_000].map((ms) => relativeTime(nowMs + ms, nowMs)),
    ["now", "in 1s", "in 1m", "2h ago", "in 2d"],
  );
});
