import { assertEquals } from "@std/assert";
import { formatMethodResult } from "../../../src/signing/arc/method_result.ts";

function policy(value: string): string {
  const properties = [["policy.dmarc", value]] as const;
  return formatMethodResult({ method: "dmarc", result: "fail", reason: "", properties });
}

Deno.test("method result: tokens and mailboxes stand as they are, all else is quoted", () => {
  assertEquals(policy("reject"), "dmarc=fail policy.dmarc=reject");
  assertEquals(policy("ada@example.net"), "dmarc=fail policy.dmarc=ada@example.net");
  assertEquals(policy('a"b\r\nX: y'), 'dmarc=fail policy.dmarc="a\\"b??X: y"');
  assertEquals(policy(""), 'dmarc=fail policy.dmarc=""');
});

Deno.test("method result: what a domain publishes is cut, and read in one go", () => {
  const cut = "a".repeat(256);
  assertEquals(policy("a".repeat(60_000)), `dmarc=fail policy.dmarc="${cut}"`);
  assertEquals(policy(`${"a".repeat(1_000_000)}\0`), `dmarc=fail policy.dmarc="${cut}"`);
});
