/** Finding the recipients that an API refuses, with few requests; and values in its answers. */
import { assertEquals } from "@std/assert";
import type { Outcome } from "../../../src/delivery/transport.ts";
import { basicAuthorization } from "../../../src/relay/http/digest.ts";
import { divide, mayConcernOne } from "../../../src/relay/http/divide.ts";
import {
  listAt,
  messageText,
  tableOf,
  textAt,
  textsAt,
  valueAt,
} from "../../../src/relay/http/fields.ts";
import { outcomeOf } from "../../../src/relay/http/outcome.ts";
import type { JobRecipient } from "../../../src/relay/http/provider.ts";

const recipientsOf = (names: string) =>
  [...names].map((name) => ({ forwardPath: name }) as unknown as JobRecipient);
const REFUSAL = outcomeOf({ verdict: "rejected", enhanced: "5.1.1" }, { text: "no" });

/** Requests and outcomes where an API refuses all when it refuses one of `bad`. */
async function divided(names: string, bad: string, refusal: Outcome = REFUSAL) {
  const requests: string[] = [];
  const outcomes = await divide(recipientsOf(names), {
    refusal,
    sendTo: (recipients) => {
      const asked = recipients.map(({ forwardPath }) => forwardPath).join("");
      requests.push(asked);
      const isRefused = [...asked].some((name) => bad.includes(name));
      return Promise.resolve(
        recipients.map(() => isRefused ? refusal : outcomeOf("delivered", { text: "ok" })),
      );
    },
  });
  return [
    requests.join(" "),
    outcomes.map(({ kind }) => kind === "delivered" ? "+" : "-").join(""),
  ];
}

const DIVISIONS: readonly (readonly [string, string, string, string])[] = [
  ["abcdef", "", "a b cdef", "++++++"],
  ["abcdef", "e", "a b cdef cd ef e f", "++++-+"],
  ["abcdef", "a", "a b cdef", "-+++++"],
  ["abcdef", "b", "a b cdef", "+-++++"],
  ["abcdef", "ab", "a b", "------"],
  ["abc", "c", "a b c", "++-"],
  ["ab", "b", "a b", "+-"],
  ["abcde", "cde", "a b cde c de d e", "++---"],
];

for (const [names, bad, requests, outcomes] of DIVISIONS) {
  Deno.test(`divide: ${names} where ${bad || "nobody"} is refused`, async () => {
    assertEquals(await divided(names, bad), [requests, outcomes]);
    const unsuitable = outcomeOf("unsuitable", { text: "no" });
    assertEquals(await divided(names, bad, unsuitable), [requests, outcomes]);
  });
}

Deno.test("divide: an outcome that is no refusal ends the search, whatever it is", async () => {
  for (const verdict of ["temporary", "broken", "uncertain"] as const) {
    const outcome = outcomeOf(verdict, { text: "later" });
    assertEquals((await divided("abcd", "abcd", outcome))[0], "a b cd");
  }
});

Deno.test("divide: only refusals of an address or of the content may concern one of several", () => {
  const may = (enhanced: "5.1.1" | "5.1.10" | "5.6.0" | "5.7.1" | "5.6.1", names = "ab") =>
    mayConcernOne(outcomeOf({ verdict: "rejected", enhanced }, { text: "" }), recipientsOf(names));
  assertEquals([may("5.1.1"), may("5.1.10"), may("5.6.0")], [true, true, true]);
  assertEquals([may("5.7.1"), may("5.6.1"), may("5.1.1", "a")], [false, false, false]);
  const unsuitable = outcomeOf("unsuitable", { text: "" });
  assertEquals(mayConcernOne(unsuitable, recipientsOf("ab")), true);
  const temporary = outcomeOf({ verdict: "temporary", enhanced: "5.1.1" }, { text: "" });
  assertEquals(mayConcernOne(temporary, recipientsOf("ab")), false);
});

Deno.test("fields: values are found by their path, and nothing is thrown", () => {
  const value = { a: { b: ["x", 1, "y"], n: 7, empty: "" }, message: "m", error: "e" };
  assertEquals([valueAt(value, "a", "n"), valueAt(value, "a", "no", "more"), valueAt(null, "a")], [
    ...[7, undefined, undefined],
  ]);
  assertEquals([textAt(value, "a", "n"), textAt(value, "message"), textAt(value, "a", "empty")], [
    ...["7", "m", null],
  ]);
  assertEquals([listAt(value, "a", "b").length, listAt(value, "a")], [3, []]);
  assertEquals(textsAt(value, "a", "b"), ["x", "y"]);
  assertEquals([tableOf([]), tableOf(null), tableOf("x"), tableOf({})], [null, null, null, {}]);
  assertEquals(
    [value, { Message: "M", error: "e" }, { error: "e" }, {}].map(messageText),
    ["m", "M", "e", ""],
  );
});

Deno.test("fields: name and password go in Basic, as UTF-8", () => {
  assertEquals(basicAuthorization("ä", "b:c"), `Basic ${btoa("\xc3\xa4:b:c")}`);
});
