/** The public test suite of ARC, its part on validation: which chains are whole. */
import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { readSuite } from "../../support/suites.ts";
import { dnsOf, verify } from "../verify_setup.ts";

/** `cv` is empty where a chain that says of itself that it failed has to be taken for failed. */
interface Scenario {
  readonly description: string;
  readonly tests: Readonly<
    Record<string, { readonly message: string; readonly cv: string | null }>
  >;
  readonly "txt-records": Readonly<Record<string, string>>;
}

/** What the relay follows where it is stricter than the suite. */
const OTHERWISE: Readonly<Record<string, string>> = {
  // RFC 6376 section 3.5: `h=` has at least one name, and From is among them.
  ams_fields_h_empty: "fail",
};

const suite = await readSuite<Scenario>("arc-validation-tests.yml");

Deno.test({
  name: "the suite of ARC is beside the project, or where POSTHOUSE_SUITES names",
  ignore: suite === null,
  fn() {
    assert((suite ?? []).flatMap(({ tests }) => Object.keys(tests)).length >= 170);
  },
});

for (const { description, tests, "txt-records": records } of suite ?? []) {
  for (const [name, { message, cv }] of Object.entries(tests)) {
    Deno.test(`ARC suite: ${description}: ${name}`, async () => {
      const octets = encodeText(message.replaceAll("\n", "\r\n"));
      const { chain } = await verify(octets, { txt: dnsOf(records) });
      const expected = cv === "" ? "fail" : (cv ?? "none").toLowerCase();
      assertEquals(chain.status, OTHERWISE[name] ?? expected, chain.reason);
    });
  }
}
