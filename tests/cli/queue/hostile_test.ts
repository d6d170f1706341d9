import { assert, assertEquals } from "@std/assert";
import { richMessage, testQueue } from "./queue_setup.ts";

const ID = "1M84EQRXE3K2ZW60";
/** Clears the screen, sets a title, writes right to left, and begins a line of its own. */
const EVIL = "\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eevil\r\nx\u2028y\u0000\u007f";
// deno-lint-ignore no-control-regex
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u2029\u202a-\u202e\u2066-\u2069]/;

Deno.test("nothing that strangers wrote moves the cursor of a terminal", async () => {
  await using queue = await testQueue();
  await queue.open(async (store) => {
    await store.put(richMessage(ID, {
      reversePath: `${EVIL}@origin.example`,
      summary: { subject: EVIL, from: EVIL, messageId: EVIL },
      origin: {
        ...{ listener: "smtp", clientAddress: "192.0.2.1", clientPort: 1, protocol: "ESMTP" },
        ...{ helo: EVIL, user: EVIL, tls: EVIL },
      },
      route: EVIL,
    }));
    await store.settle({
      ...{ messageId: ID, owner: "", notifications: [], events: [] },
      recipients: [{
        ...{ index: 0, reply: `451 4.3.0 ${EVIL}` },
        disposition: { kind: "retry", nextAttemptAtMs: Date.now() + 60_000, counts: true },
      }],
      timeline: [{
        ...{ atMs: Date.now(), kind: "attempt", recipients: [0] },
        detail: {
          ...{ transport: EVIL, destination: EVIL, remote: EVIL, tls: EVIL, dialogue: [EVIL] },
          outcomes: [{ kind: "temporary", reply: EVIL, recipients: [0] }],
        },
      }, { atMs: Date.now(), kind: EVIL, recipients: [0], detail: { [EVIL]: EVIL } }],
    });
  });
  for (const args of [["list"], ["show", ID], ["delete", "--all", "--dry-run"]]) {
    for (const more of [[], ["--json"]]) {
      const { out, err } = await queue.run([...args, ...more]);
      assert(!CONTROLS.test(out + err), `${args} ${more}: ${JSON.stringify(out + err)}`);
    }
  }
  const { out } = await queue.run(["show", ID, "--json"]);
  assertEquals(JSON.parse(out).message.summary.subject, EVIL);
});
