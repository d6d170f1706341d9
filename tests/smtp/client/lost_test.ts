/** A session that has ended: what it still reads, says and takes. */
import { assertEquals } from "@std/assert";
import { SmtpClient } from "../../../src/smtp/client/client.ts";
import { Deadlines } from "../../../src/base/deadlines.ts";
import { ManualClock, settle } from "../../support/manual_clock.ts";
import { inWords, opening, PlayedConn, request } from "./played_conn.ts";

const OK = "250 2.0.0 ok\r\n";
const MINUTE_MS = 60_000;

/** Counts reads, and hears something when it is closed, as from a buffer of the system. */
class LateConn extends PlayedConn {
  reads = 0;
  late = "";

  override read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    return super.read(into);
  }

  override close(): void {
    if (this.late !== "" && !this.isClosed) this.hear(this.late);
    super.close();
  }
}

async function openedLate(...heard: string[]) {
  const conn = new LateConn([...opening(), ...heard]);
  const clock = new ManualClock();
  const { signal } = new AbortController();
  const deadlines = new Deadlines({ clock });
  const opened = await SmtpClient.open(conn, { heloName: "relay.test", deadlines, signal });
  if (opened.kind !== "open") throw new Error(`not open: ${opened.kind}`);
  return { conn, clock, signal, client: opened.client };
}

Deno.test("lost session: what comes after its time has run out is no answer any more", async () => {
  const { conn, clock, signal, client } = await openedLate(OK, OK, "354 go\r\n");
  conn.late = OK;
  const running = client.transact(request(["b@y.test"]), { signal });
  await settle();
  await clock.advance(11 * MINUTE_MS);
  assertEquals(inWords((await running).recipients), ["uncertain dot timeout"]);
});

Deno.test("lost session: it is not read from, written to or rested", async () => {
  const { conn, signal, client } = await openedLate();
  client.close();
  conn.written.length = 0;
  const { reads } = conn;
  client.rest();
  const { recipients } = await client.transact(request(["b@y.test"]), { signal });
  await client.quit();
  await settle();
  assertEquals(inWords(recipients), ["lost hello aborted"]);
  assertEquals([conn.reads, conn.said, client.isUsable], [reads, "", false]);
});

Deno.test("client session: a connection that is told to rest again is read once", async () => {
  const { conn, client } = await openedLate();
  const { reads } = conn;
  for (let time = 0; time < 3; time++) {
    client.rest();
    await settle();
  }
  assertEquals([conn.reads - reads, client.isUsable], [1, true]);
  client.close();
});
