import { assert, assertEquals } from "@std/assert";
import { relayRules } from "../../src/app/policy.ts";
import { loadConfig } from "../../src/config/load.ts";
import { parseMailbox } from "../../src/mail/address.ts";
import { decideRelay } from "../../src/policy/relay_policy.ts";
import { tempFolder } from "../support/peers.ts";
import { readAll } from "../support/read_all.ts";
import { startRelay } from "../support/relay_process.ts";

const OUTSIDER = "203.0.113.66";

/** Everything that is at hand for whoever looks for a vehicle. */
const SETTINGS = `
[relay]
domains = ["ours.test", "*.sub.test"]
[aliases]
"team@ours.test" = ["ada@ours.test", "eve@elsewhere.test"]
[bounces]
domains = ["bounces.test"]
key = "a key that nobody guesses"
mailboxes = ["fbl@ours.test"]
[transports.out]
type = "smarthost"
hosts = ["127.0.0.1:1"]
`;

const RETURN_ADDRESS = "b-0123456789abcdef-0-01234567-0123456789abcdef0123";

/** Where strangers want their mail to go, in all the forms that were ever taken for a mailbox. */
const OUTSIDE = [
  "<victim@victim.test>",
  "victim@victim.test",
  "<victim%victim.test@ours.test>",
  "<victim%victim.test@relay.test>",
  "<victim%victim.test@[127.0.0.1]>",
  "<victim%victim.test@bounces.test>",
  "<victim!victim.test@ours.test>",
  "<victim.test!victim@ours.test>",
  "<victim.test!victim>",
  '<"victim@victim.test"@ours.test>',
  '<"victim@victim.test">',
  '<"victim%victim.test"@ours.test>',
  '<"victim\\@victim.test"@ours.test>',
  "<@ours.test:victim@victim.test>",
  "<@ours.test,@relay.test:victim@victim.test>",
  "<@bounces.test:victim@victim.test>",
  "<@victim.test:ada@ours.test>",
  "<victim@victim.test@ours.test>",
  "<victim@victim.test@>",
  "<victim@victim.test@[127.0.0.1]>",
  "<victim@[203.0.113.1]>",
  "<victim@[IPv6:::1]>",
  "<victim@[127.0.0.1]>",
  "<victim@localhost>",
  "<victim@relay.test>",
  "<victim>",
  "<@>",
  "<>",
  "<victim@ours.test.victim.test>",
  "<victim@xours.test>",
  "<victim@sub.test.>",
  "<victim@.ours.test>",
  "<victim@ours.test\\0.victim.test>",
  "<victim@ours.test >",
  "<eve@elsewhere.test>",
  "<fbl@elsewhere.test>",
  "<postmaster@victim.test>",
  "<abuse@relay.test>",
  "<postmaster%victim.test@relay.test>",
  `<${RETURN_ADDRESS}@bounces.test>`,
  `<${RETURN_ADDRESS}@victim.test>`,
  `<"${RETURN_ADDRESS}"@bounces.test>`,
  "<victim=victim.test@bounces.test>",
  "<srs0=aaaa=bb=victim.test=victim@bounces.test>",
  "<bounce+victim=victim.test@bounces.test>",
  "<victim@victim.test> NOTIFY=SUCCESS ORCPT=rfc822;ada@ours.test",
];

const SENDERS = ["<>", "<ada@ours.test>", "<postmaster@relay.test>", "<a@[127.0.0.1]>"]
  .concat([`<${RETURN_ADDRESS}@bounces.test>`, "<spam@outside.test>"]);

Deno.test("open relay: a stranger reaches nobody outside, whatever the address looks like", async () => {
  await using folder = await tempFolder();
  await using relay = await startRelay({
    folder: folder.path,
    listener: `proxy_protocol = ["127.0.0.0/8"]`,
    settings: `${SETTINGS}\n[limits]\nerrors = 1000\n`,
  });
  const head = `PROXY TCP4 ${OUTSIDER} 192.0.2.1 4000 25\r\n`;
  const converse = async (lines: readonly string[]): Promise<string[]> => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: relay.port });
    const text = head + [...lines, "QUIT", ""].join("\r\n");
    await conn.write(Uint8Array.from(text, (char) => char.charCodeAt(0)));
    return (await readAll(conn)).split("\r\n").filter((line) => /^\d{3} /.test(line));
  };
  for (const sender of SENDERS) {
    for (const hello of ["EHLO relay.test", "HELO [127.0.0.1]"]) {
      const recipients = OUTSIDE.map((path) => `RCPT TO:${path}`);
      const replies = await converse([hello, `MAIL FROM:${sender}`, ...recipients, "DATA"]);
      const answers = replies.slice(3, -2);
      assertEquals(answers.length, OUTSIDE.length, replies.join("\n"));
      const taken = OUTSIDE.filter((_, index) => !/^5/.test(answers[index] ?? ""));
      assertEquals(taken, [], `${hello}, from ${sender}`);
    }
  }
  const own = ["<ada@ours.test>", "<x@a.sub.test>", "<team@ours.test>", "<postmaster@relay.test>"]
    .concat(["<fbl@ours.test>", "<postmaster@bounces.test>", "<Postmaster>"]);
  const replies = await converse([
    "EHLO a.test",
    "MAIL FROM:<>",
    ...own.map((to) => `RCPT TO:${to}`),
  ]);
  assertEquals(replies.slice(3, -1).filter((reply) => !reply.startsWith("250")), []);
});

Deno.test("open relay: no example of the documentation makes one", async () => {
  const pages = await Promise.all(
    ["README.md", "docs/configuration.md"].map((path) =>
      Deno.readTextFile(new URL(`../../${path}`, import.meta.url))
    ),
  );
  const examples = [...pages.join("\n").matchAll(/```toml\n(.*?)```/gs)]
    .map(([, toml = ""]) => toml);
  let looked = 0;
  for (const example of ["", ...examples]) {
    const loaded = await loadConfig({
      ...{ path: "posthouse.toml", systemHostname: "relay.test" },
      env: () => "a value that is long enough for a secret",
      readFile: (path) => Promise.resolve(path === "posthouse.toml" ? example : "a secret value"),
    });
    if (loaded.kind !== "ok") continue; // a part of a whole, which its test looks at
    looked++;
    const parsed = parseMailbox("victim@victim.test");
    assert(parsed.kind === "ok");
    const request = { clientAddress: OUTSIDER, user: null, recipient: parsed.mailbox };
    const { kind } = decideRelay(relayRules(loaded.config), { ...request, routed: false });
    assertEquals(kind, "refuse", example);
  }
  assert(looked > examples.length / 2, `only ${looked} of ${examples.length} could be read`);
});
