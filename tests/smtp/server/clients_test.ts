/** Real clients against the server alone; the whole relay has its own in `tests/scenario/`. */
import { assertEquals } from "@std/assert";
import { systemClock } from "../../../src/base/clock.ts";
import { decodeText } from "../../../src/base/bytes.ts";
import { Deadlines } from "../../../src/base/deadlines.ts";
import { plainConn } from "../../../src/net/plain_conn.ts";
import { OPEN_POLICY } from "../../../src/reception/policy.ts";
import { SmtpServer } from "../../../src/smtp/server/server.ts";
import { havePeer, runPeer } from "../../support/peers.ts";
import { MemorySink, type StoredMessage } from "./memory_sink.ts";

const SENDER = "sender@client.example";
const RECIPIENT = "recipient@example.com";

const PYTHON = `
import smtplib, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as client:
    client.set_debuglevel(0)
    client.sendmail("${SENDER}", ["${RECIPIENT}", "other@example.com"],
                    b"Subject: smtplib\\r\\n\\r\\n.dot\\r\\n..\\r\\nend\\r\\n")
    try:
        client.sendmail("${SENDER}", ["a..b@example.com"], b"x")
        sys.exit("accepted a bad address")
    except smtplib.SMTPRecipientsRefused:
        pass
`;

clientTest("swaks", async (port) => {
  const to = ["--from", SENDER, "--to", RECIPIENT, "--body", ".leading dot\nend"];
  const result = await runPeer("swaks", {
    args: ["--server", "127.0.0.1", "--port", `${port}`, "--pipeline", ...to],
  });
  return { code: result.code, text: ".leading dot", recipients: 1 };
});

clientTest("curl", async (port) => {
  const result = await runPeer("curl", {
    args: [`smtp://127.0.0.1:${port}/client.example`, "-sS", "--mail-from", SENDER]
      .concat(["--mail-rcpt", RECIPIENT, "--upload-file", "-"]),
    stdin: "Subject: curl\r\n\r\nfrom curl\r\n.\r\nend\r\n",
  });
  return { code: result.code, text: "from curl\r\n.\r\nend\r\n", recipients: 1 };
});

clientTest("python3", async (port) => {
  const result = await runPeer("python3", { args: ["-c", PYTHON, `${port}`] });
  return { code: result.code, text: "\r\n\r\n.dot\r\n..\r\nend\r\n", recipients: 2 };
});

clientTest("smtp-source", async (port) => {
  const load = ["-s", "5", "-m", "20", "-l", "3000", "-N", "-d"];
  const result = await runPeer("smtp-source", {
    args: [...load, "-f", SENDER, "-t", RECIPIENT, `127.0.0.1:${port}`],
  });
  return { code: result.code, text: "XXXX", recipients: 1, messages: 20 };
});

interface Sent {
  readonly code: number;
  readonly text: string;
  readonly recipients: number;
  readonly messages?: number;
}

/** Lets a client send to a server of its own and looks at what arrived. */
function clientTest(peer: string, send: (port: number) => Promise<Sent>): void {
  Deno.test({
    name: `server: takes mail from ${peer} (needs ${peer})`,
    ignore: !havePeer(peer),
    async fn() {
      const sink = new MemorySink();
      const { code, text, recipients, messages = 1 } = await withServer(sink, send);
      assertEquals(code, 0);
      assertEquals(sink.stored.length, messages);
      for (const message of sink.stored) checkMessage(message, { text, recipients });
    },
  });
}

function checkMessage({ envelope, body }: StoredMessage, { text, recipients }: Omit<Sent, "code">) {
  assertEquals(envelope.reversePath, SENDER);
  assertEquals(envelope.recipients.length, recipients);
  assertEquals(decodeText(body).includes(text), true, decodeText(body));
}

async function withServer<T>(sink: MemorySink, use: (port: number) => Promise<T>): Promise<T> {
  using deadlines = new Deadlines({ clock: systemClock });
  await using server = new SmtpServer({
    listener: "test",
    hostname: "relay.example",
    sink,
    policy: OPEN_POLICY,
    events: () => {},
    deadlines,
  });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const socket of listener) void server.serve(plainConn(socket));
  })();
  try {
    return await use(listener.addr.port);
  } finally {
    listener.close();
    await accepting;
  }
}
