import { assertEquals, assertMatch } from "@std/assert";
import { tempFolder } from "../support/peers.ts";
import { startPosthouse } from "../support/relay_process.ts";

const CASES: readonly (readonly [readonly string[], number])[] = [
  [["version"], 0],
  [["check"], 0],
  [["queue", "list"], 1],
  [["nonsense"], 2],
];

for (const [args, expected] of CASES) {
  Deno.test(`the process of posthouse ${args.join(" ")} exits with ${expected}`, async () => {
    await using folder = await tempFolder();
    await using process = startPosthouse(args, { cwd: folder.path });
    const { code, stdout, stderr } = await process.ended;
    assertEquals(code, expected, stderr);
    assertEquals(expected === 0 ? stderr : stdout, "");
  });
}

Deno.test("the process reads its message from standard input", async () => {
  await using folder = await tempFolder();
  const args = ["send", "--to", "a@b.example", "--server", "127.0.0.1:1", "-"];
  await using process = startPosthouse(args, { cwd: folder.path, stdin: "Subject: x\n\nhi\n" });
  const { code, stderr } = await process.ended;
  assertEquals(code, 1);
  assertMatch(stderr, /^Not sent: 127\.0\.0\.1 port 1: /);
});
