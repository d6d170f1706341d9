import { assertEquals } from "@std/assert";
import { cramMd5 } from "../../src/auth/client/cram_md5.ts";
import type { SmarthostOptions } from "../../src/delivery/smarthost.ts";
import { testAuthority } from "../support/certificates.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { type Script, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords, smarthostSetup } from "../support/smarthost_setup.ts";

type Options = Pick<SmarthostOptions, "login" | "tls">;

const tls = { certificates: [testAuthority().issue({ names: ["localhost"] })] };
const LOGIN: Options = {
  login: {
    allowPlain: true,
    begin: () => ({
      kind: "exchange",
      exchange: cramMd5({ username: "relay", password: "s3cret" }),
    }),
    refused() {},
  },
};

interface Stage {
  readonly name: string;
  /** The peer that answers there as the test wants. */
  readonly script: (answer: string) => Script;
  readonly options?: Options;
  /** What a refusal for now and one for good come to with one host. */
  readonly later: string;
  readonly never: string;
  /** Whether the next host is asked after 421, after 4xx, after 5xx. */
  readonly elsewhere: readonly [closing: boolean, later: boolean, never: boolean];
}

const at =
  (verb: string, extensions: readonly string[] = ["PIPELINING"]): Stage["script"] => (answer) => ({
    extensions,
    answers: { [verb]: answer },
  });

const OPENING = [true, true, true] as const;
const INSIDE = [true, false, false] as const;

const STAGES: readonly Stage[] = [
  {
    name: "the greeting",
    script: (greeting) => ({ greeting }),
    ...{ later: "temporary", never: "broken", elsewhere: OPENING },
  },
  {
    name: "EHLO and HELO",
    script: (answer) => ({ answers: { EHLO: answer, HELO: answer } }),
    ...{ later: "temporary", never: "broken", elsewhere: OPENING },
  },
  {
    name: "STARTTLS",
    script: (answer) => ({ tls, extensions: ["STARTTLS"], answers: { STARTTLS: answer } }),
    options: { tls: { rule: { level: "required" } } },
    ...{ later: "broken", never: "broken", elsewhere: OPENING },
  },
  {
    name: "AUTH",
    script: at("AUTH", ["AUTH CRAM-MD5"]),
    options: LOGIN,
    ...{ later: "temporary", never: "broken", elsewhere: OPENING },
  },
  { name: "MAIL", script: at("MAIL"), later: "temporary", never: "permanent", elsewhere: INSIDE },
  { name: "RCPT", script: at("RCPT"), later: "temporary", never: "permanent", elsewhere: INSIDE },
  { name: "DATA", script: at("DATA"), later: "temporary", never: "permanent", elsewhere: INSIDE },
  {
    name: "the end of DATA",
    script: at("."),
    ...{ later: "temporary", never: "permanent", elsewhere: [false, false, false] },
  },
  {
    name: "BDAT",
    script: at("BDAT", ["CHUNKING"]),
    ...{ later: "temporary", never: "permanent", elsewhere: [false, false, false] },
  },
];

const ANSWERS = ["421 4.3.2 Closing", "450 4.7.1 Later", "550 5.7.1 Never"] as const;

for (const { name, script, options = {}, ...expected } of STAGES) {
  for (const [index, answer] of ANSWERS.entries()) {
    Deno.test(`${answer} to ${name}`, async () => {
      await using alone = smarthostSetup(script(answer), options);
      const [words = ""] = inWords(await alone.deliver(sampleJob()));
      const kind = [name === "STARTTLS" ? "temporary" : expected.later, expected.later][index];
      assertEquals(words.split(" ", 1)[0], kind ?? expected.never);

      await using first = startScriptedPeer(script(answer));
      await using next = startScriptedPeer(asUsual(script(answer)));
      const hosts = [first, next].map(({ port }) => ({ host: "127.0.0.1", port }));
      await using both = smarthostSetup({}, { ...options, hosts });
      await both.deliver(sampleJob());
      assertEquals(next.sessions > 0, expected.elsewhere[index]);
    });
  }
}

/** The same server without its whims. */
function asUsual({ answers: _, greeting: __, ...script }: Script): Script {
  return script;
}
