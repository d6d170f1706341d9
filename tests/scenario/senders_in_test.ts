/** Other mail servers, and a library of applications, as senders. */
import { assertEquals } from "@std/assert";
import {
  canRunExim,
  canRunOpenSmtpd,
  sendWithExim,
  startOpenSmtpd,
} from "../support/foreign_servers.ts";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { canRunPostfix, startPostfix } from "../support/postfix.ts";
import { type RecordingSink, startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const LINES = [".dots", "..two", "Grüße", "", "end"];
const MESSAGE = sampleMessage({ subject: "from a server", lines: LINES });

interface Bench {
  /** Where the relay accepts SMTP. */
  readonly port: number;
  /** A folder for the sender. */
  readonly folder: string;
}

/** Lets a server send `MESSAGE` through the relay and looks at what leaves it. */
async function sendThroughRelay(send: (bench: Bench) => Promise<void>): Promise<void> {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
  await Deno.chmod(folder.path, 0o755);
  await Deno.mkdir(`${folder.path}/sender`);
  await send({ port: relay.port, folder: `${folder.path}/sender` });
  await assertArrived(sink);
}

async function assertArrived(sink: RecordingSink): Promise<void> {
  await sink.waitForMessages(1);
  const [message] = sink.messages;
  assertEquals(message?.reversePath, "sender@source.test");
  assertEquals(message?.recipients, ["user@sink.test"]);
  const text = new TextDecoder().decode(message?.data);
  assertEquals(bodyOf(text), bodyOf(new TextDecoder().decode(MESSAGE)));
}

function bodyOf(text: string): string {
  return text.slice(text.indexOf("\r\n\r\n"));
}

/** Hands `MESSAGE` to a server that passes it on by itself. */
async function submit(port: number): Promise<void> {
  using client = await PlainClient.greet(port);
  const mail = { from: "sender@source.test", to: ["user@sink.test"], data: MESSAGE };
  assertEquals((await client.send(mail)).reply.code, 250);
}

Deno.test({
  name: "senders: Postfix (needs postfix and root)",
  ignore: !canRunPostfix(),
  fn: () =>
    sendThroughRelay(async ({ port }) => {
      const postfix = await startPostfix({ nextHopPort: port });
      await using _postfix = postfix;
      await submit(postfix.port);
      await until(async () => (await postfix.log()).includes("status=sent"));
    }),
});

Deno.test({
  name: "senders: Exim (needs its program and the right to mount)",
  ignore: !canRunExim(),
  fn: () =>
    sendThroughRelay(({ port, folder }) => {
      const message = new TextDecoder().decode(MESSAGE).replaceAll("\r\n", "\n");
      return sendWithExim({ folder, nextHopPort: port, message });
    }),
});

Deno.test({
  name: "senders: OpenSMTPD (needs its program and the right to mount)",
  ignore: !canRunOpenSmtpd(),
  fn: async () => {
    await using folder = await tempFolder();
    await using sink = startRecordingSink();
    await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
    await Deno.chmod(folder.path, 0o755);
    await using server = await startOpenSmtpd({ folder: folder.path, nextHopPort: relay.port });
    await submit(server.port);
    await assertArrived(sink);
  },
});

/** Looks again and again, since a log tells nobody when it grows. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!await condition()) {
    if (performance.now() > giveUpAt) throw new Error("the server did not send");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
