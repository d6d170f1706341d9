import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Clock } from "../../src/base/clock.ts";
import { CertificateError } from "../../src/net/server_tls.ts";
import { ServerTlsFiles } from "../../src/net/server_tls_files.ts";
import { selfSigned, type TestCertificate } from "../support/certificates.ts";
import { type TempFolder, tempFolder } from "../support/peers.ts";

async function write(folder: TempFolder, { certificate, key }: TestCertificate) {
  const pair = { certificateFile: `${folder.path}/a.crt`, keyFile: `${folder.path}/a.key` };
  await Deno.writeTextFile(pair.certificateFile, certificate);
  await Deno.writeTextFile(pair.keyFile, key);
  return { certificates: [pair] };
}

Deno.test("files are read again on demand", async () => {
  await using folder = await tempFolder();
  const options = await write(folder, selfSigned({ names: ["one.test"] }));
  using files = await ServerTlsFiles.open(options);
  const before = files.context.current;
  assertEquals(await files.reload(), false);
  assertEquals(files.context.current === before, true);
  await write(folder, selfSigned({ names: ["two.test"] }));
  assertEquals(await files.reload(), true);
  assertEquals(files.context.current === before, false);
});

Deno.test("files that cannot be used are named and change nothing", async () => {
  await using folder = await tempFolder();
  const options = await write(folder, selfSigned({ names: ["one.test"] }));
  using files = await ServerTlsFiles.open(options);
  const before = files.context.current;
  await Deno.writeTextFile(`${folder.path}/a.key`, selfSigned({ names: ["two.test"] }).key);
  await assertRejects(() => files.reload(), CertificateError, "does not belong to");
  await Deno.remove(`${folder.path}/a.key`);
  const missing = await assertRejects(() => files.reload(), CertificateError, "a.key");
  assertEquals(missing.cause instanceof Deno.errors.NotFound, true);
  await assertRejects(() => ServerTlsFiles.open(options), CertificateError, "a.key");
  assertEquals(files.context.current === before, true);
});

/** A clock whose only timer runs when the test says so. */
function manualClock(): { clock: Clock; run: () => void; waiting: Promise<void> } {
  const state = { run: (): void => {}, waiting: Promise.resolve() };
  let arm = Promise.withResolvers<void>();
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    schedule(_delayMs, callback) {
      state.run = () => {
        arm = Promise.withResolvers();
        state.waiting = arm.promise;
        callback();
      };
      arm.resolve();
      return () => {};
    },
  };
  return Object.assign(state, { clock });
}

Deno.test("watched files are reloaded, and trouble with them is told once", async () => {
  await using folder = await tempFolder();
  const options = await write(folder, selfSigned({ names: ["one.test"] }));
  using files = await ServerTlsFiles.open(options);
  const timer = manualClock();
  const told: string[] = [];
  files.watch({
    clock: timer.clock,
    onReload: () => told.push("reloaded"),
    onError: (error) => told.push(String(error)),
  });
  const look = async (): Promise<void> => {
    timer.run();
    await timer.waiting;
  };
  await look();
  assertEquals(told, []);
  await write(folder, selfSigned({ names: ["two.test"] }));
  await look();
  await look();
  assertEquals(told.splice(0), ["reloaded"]);
  await Deno.writeTextFile(`${folder.path}/a.crt`, "half a file");
  await look();
  await look();
  assertEquals(told.length, 1);
  assertStringIncludes(told.splice(0).join(), "holds no certificate in PEM");
  await write(folder, selfSigned({ names: ["three.test"] }));
  await look();
  assertEquals(told, ["reloaded"]);
});

Deno.test("a defect while files are watched is told, and they are watched on", async () => {
  await using folder = await tempFolder();
  const options = await write(folder, selfSigned({ names: ["one.test"] }));
  using files = await ServerTlsFiles.open(options);
  const timer = manualClock();
  const told: unknown[] = [];
  const defect = new Error("no log");
  let reloads = 0;
  files.watch({
    clock: timer.clock,
    onReload: () => {
      if (++reloads === 1) throw defect;
    },
    onError: (error) => told.push(error),
  });
  for (const name of ["two.test", "three.test"]) {
    await write(folder, selfSigned({ names: [name] }));
    timer.run();
    await timer.waiting;
  }
  assertEquals([reloads, told], [2, [defect]]);
});
