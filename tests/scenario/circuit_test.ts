import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startHttpRecorder } from "../support/http_recorder.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

interface Circuit {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
}

const TROUBLES: readonly [string, { status: number; body: string }][] = [
  ["a wrong key", { status: 401, body: `{"message":"Forbidden"}` }],
  ["an account without a plan", { status: 402, body: `{"message":"Pay first"}` }],
  ["a suspended account", { status: 403, body: `{"message":"Account suspended"}` }],
];

for (const [what, answer] of TROUBLES) {
  Deno.test(`circuit: ${what} bounces nothing, is shown, and ends when somebody resets it`, async () => {
    let isMended = false;
    await using api = startHttpRecorder(() =>
      isMended
        ? { kind: "answer", status: 200, body: `{"id":"<1@mg>"}` }
        : { kind: "answer", ...answer }
    );
    await using running = await startInProcessRelay({
      toml: `
        [transports.mailgun]
        type = "mailgun"
        domain = "mg.source.test"
        api_key = "key"
        base_url = "${api.url}"
        [delivery]
        down = "1h"
        max_down = "1h"
      `,
    });
    using client = await PlainClient.greet(running.smtpPort);
    const data = sampleMessage({ subject: "circuit", lines: ["text"] });
    await client.send({ from: "ada@source.test", to: ["bob@one.test"], data });
    const down = await running.waitFor(({ type }) => type === "destination_down");
    assert(down.type === "destination_down");
    assertStringIncludes(down.reason, String(answer.status));
    await client.send({ from: "ada@source.test", to: ["eve@two.test"], data });

    const transports = `${running.origin}/api/v1/transports`;
    const [shown] = (await (await fetch(transports)).json()).items as Circuit[];
    assertStringIncludes(JSON.stringify(shown), String(answer.status));
    assertEquals(api.requests.length, 1, "nobody asks again what is known to be closed");

    isMended = true;
    const reset = await fetch(`${transports}/mailgun/reset`, { method: "POST" });
    assertEquals(reset.status, 200);
    await reset.body?.cancel();
    for (const recipient of ["bob@one.test", "eve@two.test"]) {
      await running.waitFor((event) => event.type === "delivered" && event.recipient === recipient);
    }
    const [after] = (await (await fetch(transports)).json()).items as Circuit[];
    assert(!JSON.stringify(after).includes(`${answer.status} `), JSON.stringify(after));
    assertEquals(running.events.filter(({ type }) => type === "bounced"), []);
  });
}
