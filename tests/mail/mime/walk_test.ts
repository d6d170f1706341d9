/** Where a message's parts begin and end, octet by octet. */
import { assertEquals } from "@std/assert";
import { decodeLatin1, encodeText } from "../../../src/base/bytes.ts";
import { MimeWalk, type WalkLimits } from "../../../src/mail/mime/walk.ts";

interface Walked {
  readonly steps: string[];
  readonly isTooComplex: boolean;
}

/** What a visitor hears, pieces of one kind joined: `header …`, `body …`, `end`, `between …`. */
function walk(
  text: string,
  { limits = {}, chunkBytes = Infinity }: {
    limits?: Partial<WalkLimits>;
    chunkBytes?: number;
  } = {},
): Walked {
  const steps: string[] = [];
  const add = (kind: string, octets: Uint8Array): void => {
    const last = steps.at(-1);
    const piece = decodeLatin1(octets);
    if (kind !== "header" && last?.startsWith(`${kind} `)) steps[steps.length - 1] = last + piece;
    else steps.push(`${kind} ${piece}`);
  };
  const walked = new MimeWalk({
    header: (octets) => add("header", octets),
    body: (octets) => add("body", octets),
    bodyEnd: () => steps.push("end"),
    between: (octets) => add("between", octets),
  }, limits);
  const octets = encodeText(text);
  for (let from = 0; from < octets.length; from += chunkBytes) {
    walked.push(octets.subarray(from, from + chunkBytes));
  }
  walked.end();
  return { steps, isTooComplex: walked.isTooComplex };
}

const MIXED = "Content-Type: multipart/mixed; boundary=b\r\n";

const CASES: readonly (readonly [name: string, text: string, steps: readonly string[]])[] = [
  ["a message without a body", "A: 1\r\n", ["header A: 1\r\n", "end"]],
  ["an empty line and a body", "A: 1\r\n\r\nx", ["header A: 1\r\n\r\n", "body x", "end"]],
  ["line feeds alone", "A: 1\n\nx", ["header A: 1\n\n", "body x", "end"]],
  ["a folded field", "A: 1\r\n\t2\r\n\r\n", ["header A: 1\r\n\t2\r\n\r\n", "end"]],
  ["blanks before a colon", "A \t: 1\r\n\r\nx", ["header A \t: 1\r\n\r\n", "body x", "end"]],
  ["a fold without a field", " A: 1\r\nx", ["header ", "body  A: 1\r\nx", "end"]],
  ["a line that is no field", "A: 1\r\nno field\r\n", [
    "header A: 1\r\n",
    "body no field\r\n",
    "end",
  ]],
  ["a name that is none", "A: 1\r\né: 1\r\n", ["header A: 1\r\n", "body Ã©: 1\r\n", "end"]],
  ["a line of colons", "A: 1\r\n:: 1\r\n", ["header A: 1\r\n", "body :: 1\r\n", "end"]],
  ["a carriage return alone", "A: 1\r\n\rx: 1\r\n", ["header A: 1\r\n", "body \rx: 1\r\n", "end"]],
  [
    "parts, and what stands around them",
    `${MIXED}\r\npre\r\n--b\r\nB: 2\r\n\r\none\r\n--b\r\n\r\ntwo\r\n\r\n--b--\r\nafter`,
    [
      ...[
        `header ${MIXED}\r\n`,
        "between pre\r\n--b\r\n",
        "header B: 2\r\n\r\n",
        "body one",
        "end",
      ],
      ...[
        "between \r\n--b\r\n",
        "header \r\n",
        "body two\r\n",
        "end",
        "between \r\n--b--\r\nafter",
      ],
    ],
  ],
  [
    "a boundary with blanks, in a header section, and at the very end",
    `${MIXED}\r\n--b \t\r\nB: 2\r\n--b\r\n\r\nx\r\n--b--`,
    [
      ...[`header ${MIXED}\r\n`, "between --b \t\r\n", "header B: 2\r\n", "end"],
      ...["between --b\r\n", "header \r\n", "body x", "end", "between \r\n--b--"],
    ],
  ],
  [
    "lines that only look like boundaries",
    `${MIXED}\r\n--b\r\n\r\n-\r\n--\r\n--bb\r\n-- b\r\n--b-\r\n x--b\r\n--b---\r\n`,
    [
      ...[`header ${MIXED}\r\n`, "between --b\r\n", "header \r\n"],
      ...["body -\r\n--\r\n--bb\r\n-- b\r\n--b-\r\n x--b\r\n--b---\r\n", "end"],
    ],
  ],
  [
    "a message inside",
    `Content-Type: message/rfc822\r\n\r\nB: 2\r\n\r\nx`,
    ["header Content-Type: message/rfc822\r\n\r\n", "header B: 2\r\n\r\n", "body x", "end"],
  ],
  [
    "an inner multipart that lacks its end, and has the boundary of the outer one in its own",
    `${MIXED}\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--b--\r\n`,
    [
      ...[`header ${MIXED}\r\n`, "between --b\r\n"],
      ...["header Content-Type: multipart/mixed; boundary=c\r\n\r\n", "between --c\r\n"],
      ...["header \r\n", "body x", "end", "between \r\n--b--\r\n"],
    ],
  ],
];

for (const [name, text, steps] of CASES) {
  Deno.test(`mime walk: ${name}, however it arrives`, () => {
    for (const chunkBytes of [Infinity, 1, 2, 3, 5]) {
      assertEquals(walk(text, { chunkBytes }), { steps: [...steps], isTooComplex: false });
    }
  });
}

Deno.test("mime walk: what is beyond the limits is not looked into, and that is told", () => {
  const message = (depth: number) => "Content-Type: message/rfc822\r\n\r\n".repeat(depth) + "\r\nx";
  const headers = ({ steps }: Walked) => steps.filter((step) => step.startsWith("header")).length;
  const parts = `${MIXED}\r\n` + "--b\r\n\r\nx\r\n".repeat(4) + "--b--\r\n";
  const rows: [
    text: string,
    limits: Partial<WalkLimits>,
    headers: number,
    isTooComplex: boolean,
  ][] = [
    [message(2), { depth: 2 }, 3, false],
    [message(3), { depth: 2 }, 3, true],
    [message(51), {}, 51, true],
    [message(50), {}, 51, false],
    [parts, { entities: 6 }, 5, false],
    [parts, { entities: 4 }, 4, true],
    ["A: 12\r\n\r\n", { headerBytes: 9 }, 1, false],
    ["A: 12\r\n\r\n", { headerBytes: 8 }, 1, true],
  ];
  for (const [text, limits, count, isTooComplex] of rows) {
    for (const chunkBytes of [Infinity, 4]) {
      const walked = walk(text, { limits, chunkBytes });
      assertEquals(
        [headers(walked), walked.isTooComplex],
        [count, isTooComplex],
        text.slice(0, 60),
      );
      const whole = walked.steps.map((step) => step.replace(/^(?:header|body|between) |^end$/, ""));
      assertEquals(whole.join(""), text);
    }
  }
});
