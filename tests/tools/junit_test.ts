import { assertEquals } from "@std/assert";
import { countTests } from "./junit.ts";

Deno.test("junit: counts cases by result", () => {
  const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.013">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="one &lt;x&gt; &amp;lt;" classname="./a_test.ts" time="0.002" line="1" col="6">
        </testcase>
        <testcase name="two (needs swaks)" classname="./a_test.ts" time="0.000" line="2" col="6">
            <skipped/>
        </testcase>
        <testcase name="three &quot;3&quot;" classname="./a_test.ts" time="0.001" line="3" col="6">
            <failure message="Uncaught Error: x">Error: &lt;testcase &lt;skipped</failure>
        </testcase>
        <testcase name="three &gt; step" classname="./a_test.ts" time="0.001" line="3" col="9">
        </testcase>
    </testsuite>
</testsuites>`;
  assertEquals(countTests(report), {
    passed: 2,
    failed: [`three "3"`],
    skipped: ["two (needs swaks)"],
  });
});

Deno.test("junit: an empty report has no cases", () => {
  assertEquals(countTests(""), { passed: 0, failed: [], skipped: [] });
});
