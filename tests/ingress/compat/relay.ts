import { assert, assertEquals } from "@std/assert";
import PostalMime from "postal-mime";
import { type InProcessRelay, startInProcessRelay } from "../../support/relay_in_process.ts";
import { type RecordingSink, startRecordingSink } from "../../support/recording_sink.ts";

/** The secret of the token `app`. */
export const SECRET = "a-token-that-is-long-enough";

/** A relay whose one token may send as *@shop.test. */
export async function withRelay(
  use: (bench: { running: InProcessRelay; sink: RecordingSink; base: string }) => Promise<void>,
  toml = "",
): Promise<void> {
  await using sink = startRecordingSink();
  await using running = await startInProcessRelay({
    toml: `
      ${toml}
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
      [[admin.tokens]]
      name = "app"
      role = "sender"
      senders = ["*@shop.test"]
      token = "${SECRET}"
    `,
  });
  await use({ running, sink, base: `${running.origin}/compat` });
}

/** The one message that came, parsed by somebody else's reader. */
export async function received(sink: RecordingSink) {
  await sink.waitForMessages(1);
  assertEquals(sink.messages.length, 1);
  const [message] = sink.messages;
  assert(message !== undefined);
  const { recipients, reversePath, data } = message;
  return { recipients: [...recipients].sort(), reversePath, email: await PostalMime.parse(data) };
}
