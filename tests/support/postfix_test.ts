import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runPeer } from "./peers.ts";
import { canRunPostfix, startPostfix } from "./postfix.ts";
import { treeStats } from "./process_stats.ts";
import { startRecordingSink } from "./recording_sink.ts";

Deno.test({
  name: "postfix: relays to the next hop (needs postfix as root)",
  ignore: !canRunPostfix(),
  fn: async () => {
    await using sink = startRecordingSink();
    await using postfix = await startPostfix({ nextHopPort: sink.port });
    const result = await runPeer("smtp-source", {
      args: ["-m", "3", "-t", "user@example.test", `127.0.0.1:${postfix.port}`],
    });
    assertEquals(result.code, 0, result.stderr);
    await sink.waitForMessages(3);
    assert((await treeStats(postfix.masterPid)).processes > 3);
    assertStringIncludes(await postfix.log(), "status=sent");
  },
});
