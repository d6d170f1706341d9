import { assertEquals } from "@std/assert";
import { AcceptLoop, type ConnSource } from "../../src/net/accept_loop.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

/** What accept(2) and the runtime answer, in turn; nothing comes after it. */
class ScriptedSource implements ConnSource<number> {
  closed = 0;
  readonly #script: (number | Error)[];

  constructor(script: readonly (number | Error)[]) {
    this.#script = [...script];
  }

  accept(): Promise<number> {
    const next = this.#script.shift();
    if (next === undefined) return new Promise(() => {});
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  }

  close(): void {
    this.closed++;
  }
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });
const times = (count: number, code: string): Error[] => Array(count).fill(failure(code));

function setUp(script: readonly (number | Error)[], reopened: readonly (number | Error)[] = []) {
  const clock = new ManualClock();
  const accepted: number[] = [];
  const errors: string[] = [];
  const source = new ScriptedSource(script);
  const loop = new AcceptLoop(source, {
    reopen: () => new ScriptedSource(reopened),
    onSocket: (socket) => void accepted.push(socket),
    onError: (error) => void errors.push((error as Error).message),
    clock,
  });
  return { clock, accepted, errors, source, loop };
}

/** Failures settle one after the other. */
async function settleAll(): Promise<void> {
  for (let round = 0; round < 30; round++) await settle();
}

// accept(2): Linux hands errors of the new connection over as errors of accept.
const OF_THE_CLIENT = [
  ...["ENOTCONN", "ECONNABORTED", "ECONNRESET", "EPROTO", "ENETDOWN", "EHOSTUNREACH", "EPERM"],
  ...["EINTR", "ETIMEDOUT", "", "EUNHEARD"],
];
for (const code of OF_THE_CLIENT) {
  Deno.test(`a client that is gone before it is accepted costs no time: ${code}`, async () => {
    const { clock, accepted, errors } = setUp([...times(600, code), 1, ...times(600, code), 2]);
    await settleAll();
    assertEquals(accepted, [1, 2]);
    assertEquals(clock.nextTimerAtMs, null);
    assertEquals(errors, []);
  });
}

for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]) {
  Deno.test(`a shortage is waited out, longer each time, and told once: ${code}`, async () => {
    const { clock, accepted, errors } = setUp([...times(3, code), 1, failure(code), 2]);
    for (const delayMs of [10, 20, 40]) {
      await settle();
      assertEquals(clock.nextTimerAtMs, clock.now() + delayMs);
      await clock.advance(delayMs);
    }
    assertEquals(accepted, [1]);
    await clock.advance(10); // another spell
    assertEquals(accepted, [1, 2]);
    assertEquals(errors, [code, code]);
  });
}

Deno.test("a listener that fails for ever does not take all the time", async () => {
  const { clock, accepted, errors } = setUp([...times(1022, "EUNHEARD"), 1]);
  await settleAll();
  assertEquals(accepted, []);
  await clock.advance(10);
  assertEquals(accepted, [1]);
  assertEquals(errors, ["EUNHEARD"]);
});

for (const broken of [failure("EBADF"), failure("EINVAL"), new Deno.errors.BadResource("gone")]) {
  Deno.test(`a listening socket that broke is opened again: ${broken.message}`, async () => {
    const { clock, accepted, errors, source } = setUp([1, broken], [2]);
    await settle();
    await clock.advance(10);
    assertEquals(accepted, [1, 2]);
    assertEquals(source.closed, 1);
    assertEquals(errors, [broken.message]);
  });
}

Deno.test("a stopped loop ends, also within a pause", async () => {
  const { loop, source } = setUp([failure("EMFILE")]);
  await settle();
  loop.stop();
  loop.stop();
  await loop.done;
  assertEquals(source.closed, 1);
});
