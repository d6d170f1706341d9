import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { explainRoute } from "../../src/delivery/explain.ts";
import {
  chooseRoute,
  compileRules,
  headersOfRoutes,
  type RouteFacts,
  type RouteMatch,
  routesByDomainOnly,
} from "../../src/delivery/route.ts";
import { compileTreatment, stricter } from "../../src/delivery/treatment.ts";
import { weighted } from "../../src/delivery/weights.ts";

const FACTS: RouteFacts = {
  forwardPath: "Ann.Lee@dept.example.net",
  domain: "dept.example.net",
  reversePath: "news@lists.example.org",
  listener: "smtp",
  user: "app",
  headers: { "x-tenant": ["acme", "Umbrella Corp"] },
  sizeBytes: 5000,
  priority: 3,
};

const MATCHES: readonly [RouteMatch, boolean][] = [
  [{}, true],
  [{ recipientDomain: ["dept.example.net"] }, true],
  [{ recipientDomain: ["DEPT.example.net"] }, true],
  [{ recipientDomain: ["example.net"] }, false],
  [{ recipientDomain: ["*.example.net"] }, true],
  [{ recipientDomain: ["*.dept.example.net"] }, false],
  [{ recipientDomain: ["other.example", "*"] }, true],
  [{ recipient: ["ann.lee@dept.example.net"] }, true],
  [{ recipient: ["ann.*@*.net"] }, true],
  [{ recipient: ["*.lee@*.org"] }, false],
  [{ recipient: ["ann.lee@dept.example.net*ann"] }, false],
  [{ sender: ["*@lists.example.org"] }, true],
  [{ sender: [""] }, false],
  [{ listener: ["submission", "smtp"] }, true],
  [{ listener: ["local"] }, false],
  [{ user: ["app"] }, true],
  [{ user: ["other"] }, false],
  [{ header: [{ name: "x-tenant", patterns: ["ACME"] }] }, true],
  [{ header: [{ name: "x-tenant", patterns: ["umbrella*"] }] }, true],
  [{ header: [{ name: "x-tenant", patterns: ["*"] }] }, true],
  [{ header: [{ name: "x-tenant", patterns: ["initech"] }] }, false],
  [{ header: [{ name: "x-env", patterns: ["*"] }] }, false],
  [{ minSizeBytes: 5000, maxSizeBytes: 5000 }, true],
  [{ minSizeBytes: 5001 }, false],
  [{ maxSizeBytes: 4999 }, false],
  [{ minPriority: 3 }, true],
  [{ minPriority: 4 }, false],
  [{ maxPriority: 2 }, false],
  [{ recipientDomain: ["*"], user: ["other"] }, false],
];

for (const [match, fits] of MATCHES) {
  Deno.test(`match ${JSON.stringify(match)} ${fits ? "fits" : "does not fit"}`, () => {
    const rules = compileRules([{ name: "r", match, transports: ["out"] }]);
    assertEquals(chooseRoute(rules, FACTS) !== null, fits);
    assertEquals(explainRoute([{ name: "r", match, transports: [] }], FACTS)[0]?.fits, fits);
  });
}

Deno.test("the first rule that fits is chosen, and why is told of each before it", () => {
  const rules = [
    { name: "big", match: { minSizeBytes: 10_000 }, transports: ["a"] },
    { name: "tenant", match: { header: [{ name: "x-env", patterns: ["prod"] }] }, transports: [] },
    { name: "net", match: { recipientDomain: ["*.example.net"] }, transports: ["b"] },
    { name: "rest", match: {}, transports: ["c"] },
  ];
  assertEquals(chooseRoute(compileRules(rules), FACTS)?.name, "net");
  assertEquals(explainRoute(rules, FACTS).map(({ rule, reason }) => `${rule.name}: ${reason}`), [
    "big: the size 5000 is below 10000",
    "tenant: the header field x-env (absent) is none of prod",
    "net: the recipient's domain dept.example.net matches",
  ]);
});

Deno.test("rules share their answer by domain only where nothing else is looked at", () => {
  const rule = { name: "r", match: { recipientDomain: ["*"] }, transports: ["out"] };
  assert(routesByDomainOnly([rule, { ...rule, weights: [1] }]));
  assert(!routesByDomainOnly([rule, { ...rule, match: { minSizeBytes: 1 } }]));
  assert(!routesByDomainOnly([rule, { ...rule, treatment: { mode: "hold" } }]));
});

Deno.test("the header fields of all rules are known once", () => {
  const header = (name: string) => ({ header: [{ name, patterns: ["*"] }] });
  const matches = [header("x-a"), {}, header("x-b"), header("x-a")];
  assertEquals(headersOfRoutes(matches.map((match) => ({ match }))), ["x-a", "x-b"]);
});

Deno.test("transports come first as often as their weights say", () => {
  const random = seededRandom(7);
  const first = { a: 0, b: 0, c: 0 };
  for (let count = 0; count < 4000; count++) {
    const order = weighted(["a", "b", "c"] as const, { weights: [3, 1, 0], random });
    assertEquals(order.length, 3);
    assertEquals(order[2], "c");
    first[order[0] as "a" | "b" | "c"]++;
  }
  assert(Math.abs(first.a - 3000) < 150, `${first.a} of 4000`);
});

Deno.test("a treatment leaves allowed recipients alone", () => {
  const judge = compileTreatment({ mode: "capture", allow: ["*@example.net", "qa@example.org"] });
  const fates = ["A@Example.Net", "qa@example.org", "x@example.org"].map((path) => judge?.(path));
  assertEquals(fates.map((fate) => fate?.kind), ["deliver", "deliver", "capture"]);
  assertEquals(compileTreatment({ mode: "deliver" }), null);
});

Deno.test("the relay's treatment comes before the route's", () => {
  const relay = compileTreatment({ mode: "capture", allow: ["*@example.net"] });
  const route = compileTreatment({ mode: "redirect", redirect: "dev@example.net" });
  const both = stricter(relay, route);
  assertEquals(both?.("x@example.org").kind, "capture");
  const redirect = { mailbox: "dev@example.net", domain: "example.net" };
  assertEquals(both?.("x@example.net"), { kind: "redirect", to: redirect });
});
