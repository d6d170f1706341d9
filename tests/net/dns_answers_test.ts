/** Answers that a hostile server makes: they cost no more than others of their size. */
import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { decodeAnswer, type DnsQuestion } from "../../src/net/dns_message.ts";

const ID = 7;
const [A, NS, CNAME, MX, TXT, OPT] = [1, 2, 5, 15, 16, 41];
/** The question of a message below is its only name. */
const ASKED = 12;
const POINTER = 0xc000;

/** Writes what no library would. */
class Draft {
  #octets = Buffer.alloc(65535);
  length = 12;

  constructor(question: string, { type = A }: { type?: number } = {}) {
    this.#octets.set([0, ID, 0x84, 0, 0, 1]);
    this.name(question).u16(type).u16(1);
  }

  name(text: string): this {
    for (const label of text.split(".")) this.label(label);
    return this.octets([0]);
  }

  label(label: string): this {
    return this.octets([label.length, ...Buffer.from(label, "latin1")]);
  }

  u16(value: number): this {
    return this.octets([value >> 8, value & 255]);
  }

  octets(octets: readonly number[]): this {
    this.#octets.set(octets, this.length);
    this.length += octets.length;
    return this;
  }

  /** A record whose owner stands there already. */
  record(type: number, data: readonly number[]): this {
    this.u16(type).u16(1).u16(0).u16(300).u16(data.length).octets(data);
    this.#octets.writeUInt16BE(this.#octets.readUInt16BE(6) + 1, 6);
    return this;
  }

  /** How many answers it claims to have. */
  claim(answers: number): this {
    this.#octets.writeUInt16BE(answers, 6);
    return this;
  }

  /** Writes one octet of the header. */
  header(at: number, octet: number): this {
    this.#octets[at] = octet;
    return this;
  }

  get message(): Uint8Array {
    return this.#octets.subarray(0, this.length);
  }
}

function read(draft: Draft, question: Partial<DnsQuestion> = {}) {
  return decodeAnswer(draft.message, { id: ID, name: "a.test", type: "A", ...question });
}

const pointer = (at: number): number[] => [(POINTER | at) >> 8, at & 255];

Deno.test("a ladder of pointers is climbed once, however many records stand on it", () => {
  const draft = new Draft("a.test");
  // One record of a type that nobody asked for holds the rungs, each leading to the one before.
  const start = draft.length + 12;
  const rungs: number[] = [...pointer(ASKED)];
  while (start + rungs.length < 0x3f00) {
    rungs.push(...pointer(start + rungs.length - 2));
  }
  draft.u16(POINTER | ASKED).record(999, rungs);
  for (let records = 1; records < 1000; records++) {
    draft.u16(POINTER | (start + rungs.length - 2)).record(A, [192, 0, 2, records & 255]);
  }
  assertEquals(read(draft).kind, "malformed");
});

Deno.test("a name may lean on another that leans on another, as servers write them", () => {
  const draft = new Draft("a.test");
  draft.u16(POINTER | ASKED).record(CNAME, [1, 98, ...pointer(ASKED)]); // b.a.test
  const alias = draft.length - 4;
  draft.u16(POINTER | alias).record(CNAME, [1, 99, ...pointer(alias)]);
  draft.u16(POINTER | (draft.length - 4)).record(A, [192, 0, 2, 1]);
  const answer = read(draft);
  assertEquals(answer.kind === "answered" && answer.canonicalName, "c.b.a.test");
  assertEquals(answer.kind === "answered" && answer.records, ["192.0.2.1"]);
});

for (const isReversed of [false, true]) {
  Deno.test(`a chain of ${isReversed ? "reversed " : ""}aliases ends where none is honest`, () => {
    const draft = new Draft("a.test");
    const count = 990;
    const name = (index: number): number[] => {
      const label = index === 0 ? "a" : `n${index}`;
      return [label.length, ...Buffer.from(label), ...pointer(ASKED + 2)];
    };
    const order = Array.from({ length: count }, (_, index) => index);
    for (const index of isReversed ? order.toReversed() : order) {
      draft.octets(name(index)).record(CNAME, name(index + 1));
    }
    draft.octets(name(count)).record(A, [192, 0, 2, 1]);
    const answer = read(draft);
    assertEquals(answer.kind === "answered" && answer.records, []);
    assertEquals(answer.kind === "answered" && answer.canonicalName, "n32.test");
  });
}

Deno.test("more records than anybody uses are no answer", () => {
  const draft = new Draft("a.test");
  for (let records = 0; records < 4000; records++) {
    draft.u16(POINTER | ASKED).record(A, [192, 0, 2, 1]);
  }
  assertEquals(read(draft).kind, "malformed");
});

const MALFORMED: Readonly<Record<string, (draft: Draft) => Draft>> = {
  "a pointer to itself": (draft) => draft.u16(POINTER | draft.length).record(A, [1, 2, 3, 4]),
  "a pointer ahead": (draft) => draft.u16(POINTER | (draft.length + 20)).record(A, [1, 2, 3, 4]),
  "a pointer into the header": (draft) => draft.u16(POINTER | 1).record(A, [1, 2, 3, 4]),
  "a label of an unknown kind": (draft) => draft.octets([0x80, 1]).record(A, [1, 2, 3, 4]),
  "a name of 300 octets": (draft) =>
    draft.name("a".repeat(60).concat(".").repeat(5) + "b").record(A, [1, 2, 3, 4]),
  "a name that grows by pointers": (draft) => {
    let at = ASKED;
    for (let rung = 0; rung < 5; rung++) {
      const next = draft.length;
      draft.label("x".repeat(60)).u16(POINTER | at).record(NS, []);
      at = next;
    }
    return draft;
  },
  "an address of three octets": (draft) => draft.u16(POINTER | ASKED).record(A, [1, 2, 3]),
  "an address of five octets": (draft) => draft.u16(POINTER | ASKED).record(A, [1, 2, 3, 4, 5]),
  "fewer records than it claims": (draft) =>
    draft.u16(POINTER | ASKED).record(A, [1, 2, 3, 4]).claim(2),
  "60,000 records in no octets": (draft) => draft.claim(60_000),
};
for (const [name, write] of Object.entries(MALFORMED)) {
  Deno.test(`${name} is malformed`, () => {
    assertEquals(read(write(new Draft("a.test"))).kind, "malformed");
  });
}

Deno.test("data that ends within its last string or name is malformed", () => {
  for (
    const [type, code, data] of [
      ["TXT", TXT, [5, 97, 98]],
      ["MX", MX, [0]],
      ["MX", MX, [0, 10, 3, 97]],
      ["AAAA", 28, [1, 2, 3]],
      ["SRV", 33, [0, 1, 0, 1]],
      ["TLSA", 52, [3]],
    ] as const
  ) {
    const draft = new Draft("a.test", { type: code });
    draft.u16(POINTER | ASKED).record(code, [...data]);
    assertEquals(read(draft, { type }).kind, "malformed", type);
  }
});

Deno.test("a dot within a label makes no other name of it", () => {
  const draft = new Draft("a.test", { type: MX });
  draft.u16(POINTER | ASKED).record(MX, [0, 10, 6, ...Buffer.from("b.test"), 0]);
  draft.label("a.test").octets([0]).record(MX, [0, 5, 0]);
  const answer = read(draft, { type: "MX" });
  assertEquals(answer.kind === "answered" && answer.records, [
    { preference: 10, exchange: "b\\.test" },
  ]);
});

Deno.test("records of other types and classes, and what is additional, are passed over", () => {
  const draft = new Draft("A.TeSt");
  draft.u16(POINTER | ASKED).record(46, [0, 1, 2, 3]);
  draft.u16(POINTER | ASKED).record(A, [192, 0, 2, 9]);
  draft.octets([0]).u16(OPT).u16(1232).u16(0).u16(0).u16(0);
  const answer = read(draft);
  assertEquals(answer.kind === "answered" && answer.records, ["192.0.2.9"]);
});

Deno.test("a cut at any octet is malformed or none of ours", () => {
  const draft = new Draft("a.test");
  draft.u16(POINTER | ASKED).record(A, [192, 0, 2, 9]);
  for (let length = 0; length < draft.length; length++) {
    const cut = draft.message.subarray(0, length);
    const { kind } = decodeAnswer(cut, { id: ID, name: "a.test", type: "A" });
    assertEquals(kind === "malformed" || kind === "unrelated", true, `${length}: ${kind}`);
  }
});

Deno.test("a query, and what asks more than once, answers nothing", () => {
  const answered = () => new Draft("a.test").u16(POINTER | ASKED).record(A, [192, 0, 2, 1]);
  assertEquals(read(answered()).kind, "answered");
  assertEquals(read(answered().header(2, 0x04)).kind, "malformed"); // a query that came back
  assertEquals(read(answered().header(5, 2)).kind, "malformed");
  assertEquals(read(answered().header(4, 1)).kind, "malformed");
});

Deno.test("without its question an answer is taken for a refusal alone", () => {
  const told = [0, 1, 2, 3, 4, 5].map((rcode) => {
    const { message } = new Draft("a.test").header(5, 0).header(3, rcode);
    const answer = decodeAnswer(message.subarray(0, 12), { id: ID, name: "a.test", type: "A" });
    return answer.kind === "answered" ? answer.rcode : answer.kind;
  });
  assertEquals(told, ["unrelated", "FORMERR", "SERVFAIL", "unrelated", "NOTIMP", "REFUSED"]);
});

Deno.test("what is shorter than a header is nobody's answer", () => {
  const { message } = new Draft("a.test");
  const kinds = Array.from(
    { length: 14 },
    (_, bytes) =>
      decodeAnswer(message.subarray(0, bytes), { id: ID, name: "a.test", type: "A" }).kind,
  );
  assertEquals(new Set(kinds.slice(0, 12)), new Set(["unrelated"]));
  assertEquals(kinds.slice(12), ["malformed", "malformed"]);
});

Deno.test("an answer to a question of another type or name is nobody's", () => {
  const answered = () =>
    new Draft("a.test", { type: MX }).u16(POINTER | ASKED).record(MX, [0, 1, 0]);
  assertEquals(read(answered(), { type: "MX" }).kind, "answered");
  assertEquals(read(answered(), { type: "A" }).kind, "unrelated");
  assertEquals(read(answered(), { type: "MX", name: "b.test" }).kind, "unrelated");
});
