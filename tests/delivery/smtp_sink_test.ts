import { assertEquals } from "@std/assert";
import { sampleJob } from "../support/delivery_jobs.ts";
import {
  freePort,
  havePeer,
  type Peer,
  startPeer,
  tempFolder,
  waitForPort,
} from "../support/peers.ts";
import { inWords, smarthostSetup } from "../support/smarthost_setup.ts";

const AS_ROOT = Deno.uid() === 0 ? ["-u", "root"] : []; // it refuses to run as root unasked

async function startSink(args: readonly string[]): Promise<{ sink: Peer; port: number }> {
  const port = freePort();
  const sink = startPeer("smtp-sink", { args: [...AS_ROOT, ...args, `127.0.0.1:${port}`, "100"] });
  await waitForPort(port);
  return { sink, port };
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${name} (needs smtp-sink)`, ignore: !havePeer("smtp-sink"), fn });
}

const LINES = ["Subject: every kind of line", "", ".", "..", ".dot", "", "é", "x".repeat(998), ""];

for (const manner of ["pipelined", "lock-step"]) {
  test(`octets arrive as they left (${manner})`, async () => {
    await using folder = await tempFolder();
    const dump = `${folder.path}/dump`;
    const options = manner === "pipelined" ? ["-D", dump] : ["-p", "-D", dump];
    const { sink, port } = await startSink(options);
    await using _running = sink;
    await using setup = smarthostSetup({}, { hosts: [{ host: "127.0.0.1", port }] });
    const body = LINES.join("\r\n");
    const job = sampleJob({ body, message: { body: "8BITMIME" }, streamChunkBytes: 3 });
    for (const each of [job, sampleJob({ body, message: { body: "8BITMIME" } })]) {
      assertEquals(inWords(await setup.deliver(each)), ["delivered 250 2.0.0 Ok"]);
    }
    const dumped = await Deno.readTextFile(dump);
    // The sink writes its own fields, an empty line for the end of the data, and LF line ends.
    const expected = body.replaceAll("\r\n", "\n");
    assertEquals(dumped.split(expected).length - 1, 2, dumped);
  });
}

const REFUSALS: readonly [args: string[], outcome: string][] = [
  [["-f", "RCPT"], "permanent 500 5.3.0 Error: command failed"],
  [["-r", "DATA"], "temporary 450 4.3.0 Error: command failed"],
  [["-f", "."], "permanent 500 5.3.0 Error: command failed"],
  [["-q", "DATA"], "temporary 451 4.4.2"],
  [["-q", "."], "uncertain 451 4.4.2"],
  [["-Q", "MAIL"], "temporary 421"],
  [["-e"], "delivered 250 2.0.0 Ok"],
];

for (const [args, outcome] of REFUSALS) {
  test(`smtp-sink ${args.join(" ")}: ${outcome}`, async () => {
    const { sink, port } = await startSink(args);
    await using _running = sink;
    await using setup = smarthostSetup({}, { hosts: [{ host: "127.0.0.1", port }] });
    const [words = ""] = inWords(await setup.deliver(sampleJob()));
    assertEquals(words.slice(0, outcome.length), outcome);
  });
}
