/** The files and records of MTA-STS (RFC 8461), as strangers write them. */
import { assertEquals } from "@std/assert";
import { namesExchanger, parseStsPolicy, stsId } from "../../../src/delivery/tls/sts_policy.ts";

const ENFORCE = { mode: "enforce", mx: ["mx.example"], maxAgeMs: 86_400_000 } as const;
const LINES = ["version: STSv1", "mode: enforce", "mx: mx.example", "max_age: 86400"];

Deno.test("MTA-STS: a policy is read with any line ends, blanks and order", () => {
  const forms = [
    LINES.join("\r\n"),
    `${LINES.join("\n")}\n`,
    LINES.map((line) => line.replace(": ", ":")).join("\n"),
    LINES.map((line) => line.replace(": ", "  :\t ") + " \t").join("\n"),
    LINES.toReversed().join("\n"),
    [...LINES, "", "no field", "mxx", ": nameless", "other: x"].join("\n"),
    [...LINES, "mode: none", "version: STSv2", "max_age: 1"].join("\n"),
    LINES.join("\n").replace("mx.example", "MX.Example"),
  ];
  for (const form of forms) assertEquals(parseStsPolicy(form), ENFORCE, form);
});

Deno.test("MTA-STS: a policy has its mode, all its exchangers and its age", () => {
  const policyOf = (replaced: string, by: string) =>
    parseStsPolicy(LINES.join("\n").replace(replaced, by));
  const mx = ["a.example", "*.b.example", "[ipv6:2001:db8::1]"];
  const two = policyOf("mx: mx.example", mx.map((name) => `mx: ${name}`).join("\n"));
  assertEquals(two, { ...ENFORCE, mx });
  assertEquals(policyOf("enforce", "testing"), { ...ENFORCE, mode: "testing" });
  assertEquals(policyOf("enforce", "none"), { ...ENFORCE, mode: "none" });
  const empty = LINES.join("\n").replace("mx: mx.example\n", "").replace("enforce", "none");
  assertEquals(parseStsPolicy(empty), { ...ENFORCE, mode: "none", mx: [] });
  const ageOf = (text: string) => policyOf("86400", text)?.maxAgeMs;
  assertEquals(["0", "1", "31557600", "31557601", "9999999999"].map(ageOf), [
    ...[0, 1_000, 31_557_600_000, 31_557_600_000, 31_557_600_000],
  ]);
});

Deno.test("MTA-STS: what says less than all is no policy", () => {
  for (const line of LINES) {
    const rest = LINES.filter((other) => other !== line).join("\n");
    assertEquals(parseStsPolicy(rest), null, `without ${line}`);
  }
  for (
    const [replaced, by] of [
      ...[["STSv1", "STSv2"], ["STSv1", "stsv1"], ["enforce", "always"], ["enforce", ""]],
      ...[["86400", "-1"], ["86400", "1d"], ["86400", "x1"], ["86400", "12345678901"]],
      ["86400", ""],
    ] as const
  ) assertEquals(parseStsPolicy(LINES.join("\n").replace(replaced, by)), null, by);
});

const NAMED: readonly [pattern: string, host: string, isNamed: boolean][] = [
  ["mx.example", "mx.example", true],
  ["mx.example", "MX.Example", true],
  ["mx.example", "a.mx.example", false],
  ["mx.example", "xmx.example", false],
  ["*.example", "mx.example", true],
  ["*.example", "a.mx.example", false],
  ["*.example", "example", false],
  ["*.example", ".example", false],
  ["*.x.example", "a.y.example", false],
  ["*.host", "m.host", true],
];

Deno.test("MTA-STS: a star stands for one whole label at the left", () => {
  for (const [pattern, host, isNamed] of NAMED) {
    assertEquals(namesExchanger({ mx: [pattern] }, host), isNamed, `${pattern} ${host}`);
    assertEquals(namesExchanger({ mx: ["z.example", pattern] }, host), isNamed);
  }
  assertEquals(namesExchanger({ mx: [] }, "mx.example"), false);
});

const IDS: readonly [records: readonly string[], id: string | null][] = [
  [["v=STSv1; id=20260101"], "20260101"],
  [["v=STSv1;id=a;"], "a"],
  [["v=STSv1 ; id = Ab9 ; x=y"], "Ab9"],
  [["v=STSv1; x=y; id=1"], "1"],
  [["v=spf1 -all", "v=STSv1; id=1;"], "1"],
  [["v=STSv1; id=1", "v=STSv1; id=1"], null],
  [["v=STSv1; id=1", "v=STSv1; id=2"], null],
  [["v=STSv12; id=1"], null],
  [[" v=STSv1; id=1"], null],
  [["v=STSv1; id=;"], null],
  [["v=STSv1; id=a-b"], null],
  [["v=STSv1; xid=1"], null],
  [[`v=STSv1; id=${"a".repeat(32)}`], "a".repeat(32)],
  [[`v=STSv1; id=${"a".repeat(33)}`], null],
  [[], null],
];

Deno.test("MTA-STS: an id is that of the one record that is there", () => {
  for (const [records, id] of IDS) assertEquals(stsId(records), id, records.join());
});
