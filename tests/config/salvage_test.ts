/** What commands still read of a config that the relay would not start with. */
import { assert, assertEquals } from "@std/assert";
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problems.ts";

/** Loads a text for a command that needs the data folder and the admin address. */
async function loadFor(text: string) {
  return await loadConfig({
    needs: ["data_dir", "admin"],
    env: () => undefined,
    readFile: () => Promise.resolve(text),
    systemHostname: "relay.test",
  });
}

const GOOD = `data_dir = "/var/mail"\n`;
const CASES: readonly [name: string, toml: string, skipped: readonly string[]][] = [
  ["nothing wrong", `${GOOD}[admin]\nport = 8026\n`, []],
  ["an unknown key", `${GOOD}datadir = "x"\n[admin]\nport = 8026\n`, ["2:1: datadir"]],
  [
    "a secret of another environment",
    `${GOOD}[admin]\nport = 8026\n[bounces]\ndomains = ["b.test"]\nkey = { env = "KEY" }\n`,
    ["6:7: bounces.key"],
  ],
  [
    "one of two tables without what it needs",
    `${GOOD}[admin]\nport = 8026\n[[listeners]]\nname = "a"\n[[listeners]]\nname = "b"\nport = 26\n`,
    ["4:3: listeners[0].port"],
  ],
  [
    "several mistakes in lists",
    `${GOOD}[admin]\nport = 8026\n[relay]\nnetworks = ["a", "10.0.0.0/8", "b", "c"]\n`,
    ["5:13: relay.networks[0]", "5:32: relay.networks[2]", "5:37: relay.networks[3]"],
  ],
  [
    "a line that is no TOML",
    `${GOOD}[admin]\nport = 8026\n[queue]\nexpire = 5 days\nkeep_history = "1d"\n[log]\nlevel = "info"\n`,
    ["5:12"],
  ],
  [
    "a header that is no TOML, whose keys belong to no other table",
    `${GOOD}[admin]\nport = 8026\n[[listeners]\nport = 25\n`,
    ["5:1"],
  ],
  [
    "a route by a transport that is not there",
    `${GOOD}[admin]\nport = 8026\n[transports.out]\ntype = "mx"\n[[routes]]\ntransports = ["other"]\n`,
    ["7:15: routes[0].transports[0]"],
  ],
  [
    "several transports without a route",
    `${GOOD}[admin]\nport = 8026\n[transports.a]\ntype = "mx"\n[transports.b]\ntype = "mx"\n`,
    ["1:1: routes"],
  ],
];

for (const [name, toml, expected] of CASES) {
  Deno.test(`a command runs with ${name}`, async () => {
    const result = await loadFor(toml);
    assert(result.kind === "ok");
    const { skipped, config: { dataDir, admin } } = result;
    assertEquals([dataDir, admin.port], ["/var/mail", 8026]);
    const places = skipped.map((problem) =>
      formatProblem(problem).replace("posthouse.toml:", "").split(/: expected|expected/)[0]
    );
    assertEquals(places, [...expected]);
  });
}

Deno.test("a mistake in what the command needs is one", async () => {
  for (const toml of [`data_dir = 1\n`, `[admin]\nport = "x"\n`, `[admin]\nprot = 1\n`]) {
    assertEquals((await loadFor(toml)).kind, "invalid", toml);
  }
});
