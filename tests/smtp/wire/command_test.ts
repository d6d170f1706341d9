import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { parseCommand } from "../../../src/smtp/wire/command.ts";
import { parseParams } from "../../../src/smtp/wire/params.ts";
import { scanPath } from "../../../src/smtp/wire/path.ts";
import { encodeXtext } from "../../../src/mail/xtext.ts";
import { isXtext } from "../../../src/smtp/wire/xtext.ts";

const COMMANDS: readonly [line: string, verb: string, args: string][] = [
  ["NOOP", "NOOP", ""],
  ["noop", "NOOP", ""],
  ["NOOP   ", "NOOP", ""],
  ["STARTTLSxyz", "STARTTLSXYZ", ""],
  ["MAIL FROM:<a@b> SIZE=1 ", "MAIL", "FROM:<a@b> SIZE=1"],
  ["HELP  x", "HELP", " x"],
  ["NOOP grüße", "NOOP", "grüße"],
];

for (const [line, verb, args] of COMMANDS) {
  Deno.test(`command: ${JSON.stringify(line)}`, () => {
    assertEquals(parseCommand(encodeText(line)), { kind: "command", verb, args });
  });
}

for (
  const line of ["", " ", " NOOP", "NO\0OP", "NOOP\ta", "NOOP a\rb", "NOOP \x7f", "NOOP \u0085"]
) {
  Deno.test(`command: refuses ${JSON.stringify(line)}`, () => {
    assertEquals(parseCommand(encodeText(line)).kind, "error");
  });
}

Deno.test("command: a TAB in MAIL and RCPT is a space where that is asked for, and nowhere else", () => {
  const read = (line: string) => parseCommand(encodeText(line), { isLoose: true });
  const args = "FROM: <a@b.example>";
  assertEquals(read("MAIL FROM:\t<a@b.example>"), { kind: "command", verb: "MAIL", args });
  for (const line of ["MAIL\tFROM: <a@b.example>", "MAIL FROM: <a@b.example>\t"]) {
    assertEquals(read(line), { kind: "command", verb: "MAIL", args: "FROM: <a@b.example>" });
  }
  assertEquals(read("rcpt to:\ta@b.example"), {
    kind: "command",
    verb: "RCPT",
    args: "to: a@b.example",
  });
  for (
    const line of ["NOOP \ta", 'RCPT TO:<"a\tb"@c>', "MAILX\tFROM:<a@b>"]
  ) {
    assertEquals(read(line).kind, "error");
  }
});

Deno.test("path: brackets may be missing where that is asked for", () => {
  const read = (text: string) => {
    const scanned = scanPath(text, "TO", { isLoose: true });
    return scanned.kind === "error"
      ? scanned.at
      : `${describePath(scanned.path)}|${text.slice(scanned.end)}`;
  };
  assertEquals(read("TO:a@b.example"), "a@b.example b.example|");
  assertEquals(read("TO: a@b.example X=1"), "a@b.example b.example| X=1");
  for (const [text, at] of [["TO:a@b.example>", 14], ["TO:", 3], ["TO:a@b.example,c@d", 14]]) {
    assertEquals(read(String(text)), at);
  }
});

Deno.test("command: refuses octets that are not UTF-8", () => {
  assertEquals(parseCommand(Uint8Array.of(0x4e, 0x20, 0xff)).kind, "error");
});

const PATHS: readonly [text: string, path: string, rest: string][] = [
  ["TO:<>", "null", ""],
  ["to:<a@b.example>", "a@b.example b.example", ""],
  ["TO: <a@b.example> X=1", "a@b.example b.example", " X=1"],
  ["TO:<Postmaster>", "postmaster Postmaster", ""],
  ["TO:<postmaster@b.example>", "postmaster@b.example b.example", ""],
  ["TO:<@x.example:a@B.example>", "a@B.example b.example routed", ""],
  ["TO:<@x.example,@y.example:a@b.example>", "a@b.example b.example routed", ""],
  ['TO:<">"@b.example>', '">"@b.example b.example', ""],
  ["TO:<a@[192.0.2.1]>", "a@[192.0.2.1] [192.0.2.1]", ""],
];

for (const [text, expected, rest] of PATHS) {
  Deno.test(`path: ${text}`, () => {
    const scanned = scanPath(text, "TO");
    if (scanned.kind === "error") throw new Error(scanned.reason);
    assertEquals([describePath(scanned.path), text.slice(scanned.end)], [expected, rest]);
  });
}

const BAD_PATHS: readonly [text: string, at: number][] = [
  ["", 0],
  ["TO", 0],
  ["TO <a@b.example>", 0],
  ["FROM:<a@b.example>", 0],
  ["TO:a@b.example", 3],
  ["TO:<a@b.example", 15],
  ["TO:<a@b.example x>", 15],
  ["TO:<postmasters>", 15],
  ["TO:<@x.example>", 14],
  ["TO:<@x.example,y.example:a@b.example>", 15],
  ["TO:<@x.example;a@b.example>", 14],
  ["TO:<@:a@b.example>", 5],
];

for (const [text, at] of BAD_PATHS) {
  Deno.test(`path: refuses ${JSON.stringify(text)}`, () => {
    const scanned = scanPath(text, "TO");
    assertEquals(scanned.kind === "error" ? scanned.at : scanned, at);
  });
}

Deno.test("params: keywords in upper case, values as they are, spaces tolerated", () => {
  assertEquals(parseParams(" size=10  Body=8BITMIME SMTPUTF8"), {
    kind: "ok",
    params: [
      { keyword: "SIZE", value: "10" },
      { keyword: "BODY", value: "8BITMIME" },
      { keyword: "SMTPUTF8", value: null },
    ],
  });
  assertEquals(parseParams(""), { kind: "ok", params: [] });
});

for (const text of ["X=1", " X=", " =1", " X=a=b", " -X", " X X", " x=1 X=2", " ä=1"]) {
  Deno.test(`params: refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseParams(text).kind, "error");
  });
}

Deno.test("xtext: encodes what is not printable and knows its own form", () => {
  assertEquals(encodeXtext("a+b=c d\u00fc"), "a+2Bb+3Dc+20d+C3+BC");
  assertEquals(["a+2Bb", "", "~!"].map(isXtext), [true, true, true]);
  assertEquals(["a+2b", "a=b", "a b", "a+", "ü"].map(isXtext), [false, false, false, false, false]);
});

function describePath(path: Extract<ReturnType<typeof scanPath>, { kind: "ok" }>["path"]): string {
  if (path.kind === "null") return "null";
  if (path.kind === "postmaster") return `postmaster ${path.text}`;
  return `${path.mailbox.text} ${path.mailbox.domain}${path.routed ? " routed" : ""}`;
}
