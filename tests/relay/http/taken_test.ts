import { assertEquals } from "@std/assert";
import type { Outcome } from "../../../src/delivery/transport.ts";
import { reply } from "../../../src/mail/reply.ts";
import { HttpTransport, type Provider } from "../../../src/relay/http/provider.ts";
import { sampleJob } from "../../support/delivery_jobs.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const TAKEN: Outcome = { kind: "delivered", reply: reply(200, "2.0.0", "Taken") };
const REFUSED: Outcome = { kind: "permanent", reply: reply(550, "5.1.1", "No") };
const NEVER = new AbortController().signal;
const THREE = ["a@dest.example", "b@dest.example", "c@dest.example"];

/** What a job to three comes to with an API that answers `status` to each request. */
async function kindsOf(provider: Partial<Provider>, status = 200): Promise<string[]> {
  const transport = new HttpTransport(
    {
      kind: "sample",
      baseUrl: new URL("http://api.example"),
      maxRecipients: 10,
      plan: ({ recipients }) => ({
        kind: "shipments",
        shipments: recipients.map((recipient) => ({
          request: { url: "http://api.example/send", headers: {}, body: [] },
          recipients: [recipient],
        })),
      }),
      judge: () => TAKEN,
      ...provider,
    } as Provider,
    {
      name: "out",
      clock: new ManualClock(),
      fetch: () => Promise.resolve({ status, headers: new Headers(), body: null, ok: true }),
    } as unknown as ConstructorParameters<typeof HttpTransport>[1],
  );
  const { outcomes } = await transport.deliver(sampleJob({ recipients: THREE }), { signal: NEVER });
  return outcomes.map(({ kind }) => kind);
}

/** A function that fails at its second call. */
function failingSecond<Value>(value: Value): () => Value {
  let calls = 0;
  return () => {
    if (++calls === 2) throw new Error("made to fail");
    return value;
  };
}

Deno.test("an answer that cannot be read leaves it open whether the message was taken", async () => {
  const judge = failingSecond(TAKEN);
  assertEquals(await kindsOf({ judge }), ["delivered", "uncertain", "delivered"]);
});

Deno.test("a refusal that cannot be read is temporary", async () => {
  const judge = failingSecond(REFUSED);
  assertEquals(await kindsOf({ judge }, 422), ["permanent", "temporary", "permanent"]);
});

Deno.test("recipients that an answer leaves out may have got the message", async () => {
  assertEquals(await kindsOf({ judge: () => [] }), ["uncertain", "uncertain", "uncertain"]);
});

Deno.test("what was taken stays that when a later request cannot be made", async () => {
  const authorize = failingSecond(Promise.resolve({
    kind: "request" as const,
    request: { url: "http://api.example/send", headers: {}, body: [] },
  }));
  const kinds = await kindsOf({ authorize } as unknown as Partial<Provider>);
  assertEquals(kinds, ["delivered", "temporary", "delivered"]);
});
