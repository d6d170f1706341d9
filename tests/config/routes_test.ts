import { assertEquals } from "@std/assert";
import { formatProblem } from "../../src/config/problems.ts";
import { load } from "./support.ts";

const MX = `[transports.out]\ntype = "mx"\n`;

async function problemsOf(source: string): Promise<readonly string[]> {
  const result = await load(source);
  return result.kind === "ok" ? [] : result.problems.map(formatProblem);
}

Deno.test("a route may look at header, size, priority and user", async () => {
  const result = await load(`${MX}
    [[routes]]
    match = { user = ["app"], header = { "X-Tenant" = ["a*", "b"] }, max_size = "1MiB", min_priority = 2 }
    transports = ["out"]
    weights = [1]
  `);
  if (result.kind !== "ok") throw new Error(result.problems.map(formatProblem).join("\n"));
  assertEquals(result.config.routes[0]?.match, {
    user: ["app"],
    header: [{ name: "x-tenant", patterns: ["a*", "b"] }],
    maxSizeBytes: 1_048_576,
    minPriority: 2,
  });
  assertEquals(result.config.routes[0]?.weights, [1]);
});

const TREATMENTS = [
  [`allow = ["*@example.net"]`, { mode: "capture", allow: ["*@example.net"] }],
  [`redirect = "a@example.net"`, { mode: "redirect", redirect: "a@example.net" }],
  [`mode = "hold"`, { mode: "hold" }],
  [`mode = "deliver"`, null],
  [``, null],
] as const;

for (const [keys, expected] of TREATMENTS) {
  Deno.test(`[delivery] with ${keys || "nothing"} says what becomes of mail`, async () => {
    const result = await load(`[delivery]\n${keys}\n`);
    assertEquals(result.kind === "ok" && result.config.delivery.treatment, expected);
  });
}

Deno.test("a route that holds or captures everything needs no transport", async () => {
  assertEquals(await problemsOf(`[[routes]]\nmode = "capture"\n`), []);
});

const MISTAKES: readonly [string, string][] = [
  [
    `${MX}[[routes]]\nmode = "capture"\nallow = ["*@a.example"]\n`,
    "3:3: routes[0].transports: expected a list of at least one transport, got nothing",
  ],
  [
    `${MX}[[routes]]\ntransports = ["out"]\nweights = [1, 2]\n`,
    "5:11: routes[0].weights: expected one weight for each of 1 transports, got 2",
  ],
  [
    `[delivery]\nmode = "hold"\nredirect = "a@example.net"\n`,
    `2:8: delivery.mode: expected "redirect", because redirect is set, got "hold"`,
  ],
  [
    `[delivery]\nmode = "redirect"\n`,
    "1:2: delivery.redirect: expected the mail address that gets all mail, got nothing",
  ],
];

for (const [source, expected] of MISTAKES) {
  Deno.test(`route mistake: ${expected}`, async () => {
    assertEquals(await problemsOf(source), [`posthouse.toml:${expected}`]);
  });
}

Deno.test("rules of [[shaping]] have names of their own, given or not", async () => {
  const expected = "expected a name that no other rule has";
  const rule = (name: string) => `[[shaping]]\n${name}\nconcurrency = 1\n`;
  const once = await problemsOf(MX + rule(`name = "a"`) + rule(`name = "a"`));
  assertEquals(once.map((problem) => problem.includes(expected)), [true]);
  const counted = await problemsOf(MX + rule(`name = "shaping-2"`) + rule(""));
  assertEquals(counted.map((problem) => problem.includes(expected)), [true]);
});
