/** How the octets of one message come in: what stays in memory, what is spooled, what is undone. */
import { assertEquals } from "@std/assert";
import { concatBytes, encodeText } from "../../src/base/bytes.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";
import { Intake, type IntakeOptions } from "../../src/queue/intake.ts";
import type { NewMessage, QueueStore, SpoolWriter } from "../../src/queue/store.ts";
import { StoreError } from "../../src/queue/store.ts";
import { settle } from "../support/manual_clock.ts";
import { fixedClock, idOf, messageOf } from "./messages.ts";

const HEADER = encodeText("Subject: x\r\n\r\n");
const KIB = 1024;

function textOf(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(120);
}

/** An intake on a store that notes what it is asked for. */
function benchOf(
  { threshold = 100, head = "", failing, sign, hold }: {
    threshold?: number;
    head?: string;
    /** Who throws this error. */
    failing?: { at: "write" | "finish" | "put" | "discard"; error: unknown };
    sign?: NonNullable<IntakeOptions["sign"]>;
    /** Each write to the spool file waits for it. */
    hold?: Promise<void>;
  } = {},
) {
  const calls: string[] = [];
  const stored: NewMessage[] = [];
  const spooled: Uint8Array[] = [];
  const told: unknown[] = [];
  const called = (name: string): Promise<void> => {
    calls.push(name);
    if (failing !== undefined && name.startsWith(failing.at)) return Promise.reject(failing.error);
    return hold ?? Promise.resolve();
  };
  const spool = (): SpoolWriter => ({
    write(octets) {
      spooled.push(octets.slice());
      return called(`write ${octets.length}`);
    },
    finish: () => called("finish").then(() => "name"),
    discard: () => called("discard"),
  });
  const putAll = (messages: readonly NewMessage[]) => {
    stored.push(...messages);
    return called("put");
  };
  const store = { spool, putAll, put: (one: NewMessage) => putAll([one]) } as unknown as QueueStore;
  const intake = new Intake({
    ...{ store, clock: fixedClock(), emit: (event) => told.push(event), newId: () => idOf(1) },
    scheduler: { reserve: () => null, unreserve() {}, enterReserved() {}, wake() {} },
    summarize: () => ({ subject: "", from: "", messageId: "" }),
    limits: { spoolThresholdBytes: threshold, expireMs: 1_000_000 },
    ...(sign === undefined ? {} : { sign }),
  });
  const { origin, recipients } = messageOf(1);
  const writer = intake.begin({
    origin,
    envelope: { reversePath: "", body: "7BIT", smtpUtf8: false, recipients },
    head: () => encodeText(head),
  });
  return { writer, calls, stored, spooled, told };
}

Deno.test("intake: up to the threshold a message stays in memory, its trace fields counted", async () => {
  for (
    const [body, head, isSpooled] of [[86, "", false], [87, "", true], [85, "x", false]] as const
  ) {
    const { writer, calls, stored } = benchOf({ head });
    await writer.write(HEADER);
    await writer.write(textOf(body));
    const octets = concatBytes([HEADER, textOf(body)]);
    assertEquals(await writer.commit(bodyFacts(octets)), { kind: "stored" });
    assertEquals(calls, isSpooled ? ["write 101", "finish", "put"] : ["put"]);
    const place = stored[0]?.place;
    if (place?.kind === "inline") {
      assertEquals(place.bytes, concatBytes([encodeText(head), octets]));
    }
    assertEquals(place?.kind, isSpooled ? "spool" : "inline");
  }
});

Deno.test("intake: a spooled message is in memory for 256 KiB at most, and whole in its file", async () => {
  const { writer, calls, spooled } = benchOf();
  const pieces = [HEADER, ...Array.from({ length: 40 }, () => textOf(16 * KIB))];
  for (const piece of pieces) await writer.write(piece);
  const all = concatBytes(pieces);
  assertEquals(await writer.commit(bodyFacts(all)), { kind: "stored" });
  const first = HEADER.length + 15 * 16 * KIB;
  const rest = all.length - first - 256 * KIB;
  assertEquals(calls, [`write ${first}`, `write ${256 * KIB}`, `write ${rest}`, "finish", "put"]);
  assertEquals(concatBytes(spooled), all);
});

Deno.test("intake: a client waits until its octets are in the file", async () => {
  const hold = Promise.withResolvers<void>();
  const { writer, calls } = benchOf({ hold: hold.promise });
  await writer.write(HEADER);
  await writer.write(textOf(200 * KIB));
  let isWritten = false;
  const written = Promise.resolve(writer.write(textOf(100 * KIB))).then(() => isWritten = true);
  await settle();
  assertEquals([calls.length, isWritten], [1, false]);
  hold.resolve();
  await written;
  assertEquals(await writer.commit(bodyFacts(HEADER)), { kind: "stored" });
});

for (const at of ["write", "finish", "put"] as const) {
  Deno.test(`intake: where ${at} fails the file goes, once, and its cause is told`, async () => {
    for (const [kind, failure] of [["full", "full"], ["closed", "unavailable"]] as const) {
      const error = new StoreError(kind, "made to fail");
      const { writer, calls, told } = benchOf({ failing: { at, error } });
      await writer.write(HEADER);
      await writer.write(textOf(200 * KIB));
      await writer.write(textOf(200 * KIB));
      await writer.write(textOf(200 * KIB));
      assertEquals(await writer.commit(bodyFacts(HEADER)), { kind: "failed", failure });
      await writer.abort();
      assertEquals(calls.filter((call) => call === "discard").length, 1, calls.join());
      assertEquals(calls.filter((call) => call === "put").length, at === "put" ? 1 : 0);
      if (at === "write") assertEquals(calls.length, 2, "nothing more is written");
      assertEquals(told, [{
        ...{ type: "trouble", level: "error", component: "queue", message: "made to fail" },
        ...{ messageId: idOf(1), cause: error },
      }]);
    }
  });
}

Deno.test("intake: what cannot be undone is told, and stops nothing", async () => {
  const { writer, told } = benchOf({ failing: { at: "discard", error: "no" } });
  await writer.write(HEADER);
  await writer.write(textOf(200));
  await writer.abort();
  assertEquals(told.length, 1);
});

Deno.test("intake: signatures are made of the body, and count like the trace fields", async () => {
  const signed: Uint8Array[] = [];
  const sign: IntakeOptions["sign"] = () => ({
    write: (octets) => void signed.push(octets.slice()),
    finish: () => Promise.resolve("Signed: y\r\n"),
  });
  const { writer, stored } = benchOf({ sign, head: "Received: \u00fc\r\n" });
  await writer.write(concatBytes([HEADER, encodeText("one ")]));
  await writer.write(encodeText("two"));
  const facts = bodyFacts(concatBytes([HEADER, encodeText("one two")]));
  await writer.commit(facts);
  assertEquals(concatBytes(signed), encodeText("one two"));
  const [message] = stored;
  const headBytes = encodeText("Received: \u00fc\r\n").length;
  assertEquals(message?.facts.sizeBytes, facts.sizeBytes + headBytes + "Signed: y\r\n".length);
  assertEquals([message?.prefix, facts.eightBit, message?.facts.eightBit], [
    ...["Signed: y\r\n", false, true],
  ]);
});
