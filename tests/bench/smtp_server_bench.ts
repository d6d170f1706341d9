/**
 * How fast the SMTP server takes messages when storing them costs nothing.
 *
 *     deno run --allow-net=127.0.0.1 tests/bench/smtp_server_bench.ts [messages]
 */
import { systemClock } from "../../src/base/clock.ts";
import { Deadlines } from "../../src/base/deadlines.ts";
import { encodeText } from "../../src/base/bytes.ts";
import { plainConn } from "../../src/net/plain_conn.ts";
import { OPEN_POLICY } from "../../src/reception/policy.ts";
import { SmtpServer } from "../../src/smtp/server/server.ts";
import type { MessageSink } from "../../src/smtp/server/sink.ts";

const SESSIONS = 20;
const MESSAGE_BYTES = 2048;

const nullSink: MessageSink = {
  begin: () => ({
    id: "0000000000000000",
    write: () => {},
    commit: () => Promise.resolve({ kind: "stored" }),
    abort: () => Promise.resolve(),
  }),
};

/** Sends messages as a client that waits for each reply, and returns how many were accepted. */
async function client(port: number, messages: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  const into = new Uint8Array(4096);
  const body = encodeText(("x".repeat(78) + "\r\n").repeat(MESSAGE_BYTES / 80) + ".\r\n");
  const mail = encodeText("MAIL FROM:<sender@client.example>\r\n");
  const rcpt = encodeText("RCPT TO:<recipient@example.com>\r\n");
  const data = encodeText("DATA\r\n");
  const exchange = async (octets: Uint8Array): Promise<void> => {
    await conn.write(octets);
    await conn.read(into);
  };
  await conn.read(into);
  await exchange(encodeText("EHLO client.example\r\n"));
  for (let sent = 0; sent < messages; sent++) {
    await exchange(mail);
    await exchange(rcpt);
    await exchange(data);
    await exchange(body);
  }
  await exchange(encodeText("QUIT\r\n"));
}

async function main(): Promise<void> {
  const messages = Number(Deno.args[0] ?? 20_000);
  using deadlines = new Deadlines({ clock: systemClock });
  await using server = new SmtpServer({
    listener: "bench",
    hostname: "relay.example",
    sink: nullSink,
    policy: OPEN_POLICY,
    events: () => {},
    deadlines,
  });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: Number(Deno.args[1] ?? 0) });
  const accepting = (async () => {
    for await (const conn of listener) {
      conn.setNoDelay(true);
      server.serve(plainConn(conn));
    }
  })();
  if (Deno.args[1] !== undefined) return await accepting; // serves an outside load tool
  const startMs = performance.now();
  const clients = Array.from(
    { length: SESSIONS },
    () => client(listener.addr.port, messages / SESSIONS),
  );
  await Promise.all(clients);
  const seconds = (performance.now() - startMs) / 1000;
  // deno-lint-ignore no-console
  console.log(JSON.stringify({ messages, seconds, perSecond: Math.round(messages / seconds) }));
  listener.close();
  await accepting;
}

await main();
