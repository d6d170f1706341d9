/**
 * Mixed hostility while honest clients are served: nothing is lost, everything is accepted. The
 * short form takes some seconds, `POSTHOUSE_LONG=1` an hour (or `POSTHOUSE_SOAK_MINUTES`). How long
 * honest sessions take is reported, and asserted by nobody: other tests keep the machine busy.
 */
import { assertEquals } from "@std/assert";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { resetMany } from "../support/resets.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const MINUTES = Deno.env.get("POSTHOUSE_LONG") === undefined
  ? 0.05
  : Number(Deno.env.get("POSTHOUSE_SOAK_MINUTES") ?? 60);
const encoder = new TextEncoder();

/** One kind of hostility, done over and over; what becomes of its connections is its own affair. */
type Hostility = (port: number) => Promise<void>;

async function connection(port: number, act: (conn: Deno.TcpConn) => Promise<unknown>) {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await act(conn);
}

const HOSTILE: Readonly<Record<string, Hostility>> = {
  resets: (port) => resetMany(port, 20),
  async flood(port) {
    const conns = await Promise.all(
      Array.from({ length: 30 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
    );
    await pause(200);
    for (const conn of conns) conn.close();
  },
  slow: (port) =>
    connection(port, async (conn) => {
      for (const char of "EHLO a") {
        await conn.write(encoder.encode(char));
        await pause(50);
      }
    }),
  brokenTls: (port) =>
    connection(port, (conn) => conn.write(Uint8Array.of(0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0))),
  nonsense: (port) =>
    connection(port, (conn) => conn.write(crypto.getRandomValues(new Uint8Array(4096)))),
  async guesses(port) {
    using client = await PlainClient.greet(port);
    for (let count = 0; count < 3; count++) await client.command("AUTH PLAIN AGEAYg==");
  },
  async worstBody(port) {
    using client = await PlainClient.greet(port);
    for (const line of ["MAIL FROM:<x@evil.test>", "RCPT TO:<b@evil.test>", "DATA"]) {
      await client.command(line);
    }
    await client.write(encoder.encode(`From: x@evil.test\r\n\r\n${"..\r\n".repeat(100_000)}`));
  },
};

Deno.test("honest clients are served while others do their worst", async () => {
  await using folder = await tempFolder();
  await using sink = await startRecordingSink();
  await using relay = await startRelay({
    folder: folder.path,
    nextHopPort: sink.port,
    openFiles: 1024,
    listener: "max_connections_per_address = 10000",
  });
  const { port } = relay;
  const endMs = performance.now() + MINUTES * 60_000;
  const tookMs: number[] = [];
  const rounds: Record<string, number> = {};
  const attack = async (name: string, act: Hostility): Promise<void> => {
    while (performance.now() < endMs) {
      await act(port).catch(() => {}); // refused or cut, which is as it should be
      rounds[name] = (rounds[name] ?? 0) + 1;
      await pause(20);
    }
  };
  const serve = async (client: number): Promise<number> => {
    let accepted = 0;
    while (performance.now() < endMs) {
      const startMs = performance.now();
      if (!await isAccepted(port, `honest ${client} ${accepted}`)) continue;
      accepted++;
      tookMs.push(performance.now() - startMs);
    }
    return accepted;
  };
  const attacks = Object.entries(HOSTILE).map(([name, act]) => attack(name, act));
  const counts = await Promise.all(Array.from({ length: 4 }, (_, client) => serve(client)));
  await Promise.all(attacks);
  const accepted = counts.reduce((sum, count) => sum + count, 0);
  await sink.waitForMessages(accepted, { timeoutMs: 60_000 });
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
  // deno-lint-ignore no-console -- the figures are what the long form is for
  console.log(
    `${accepted} honest messages, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ${JSON.stringify(rounds)}`,
  );
  const subjects = new Set(
    sink.messages.map(({ data }) =>
      /^Subject: (honest .*)\r$/m.exec(new TextDecoder().decode(data))?.[1]
    ),
  );
  assertEquals(subjects.size, accepted, "something is lost");
  using last = await PlainClient.greet(port);
  assertEquals((await last.command("NOOP")).code, 250);
});

/** One whole session; false when the relay was full, which a client tries again after. */
async function isAccepted(port: number, subject: string): Promise<boolean> {
  let client: PlainClient;
  try {
    client = await PlainClient.greet(port);
  } catch {
    return false;
  }
  using session = client;
  const data = sampleMessage({ subject });
  const { reply } = await session.send({ from: "a@source.test", to: ["b@sink.test"], data });
  assertEquals([250, 421].includes(reply.code), true, reply.lines.join(" "));
  return reply.code === 250;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
