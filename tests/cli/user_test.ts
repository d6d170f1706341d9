import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createAuthenticator } from "../../src/auth/create_authenticator.ts";
import { usersFileOf } from "../../src/app/users_file.ts";
import { systemRandom } from "../../src/base/random.ts";
import type { AuthStep } from "../../src/auth/authenticator.ts";
import { loadConfig } from "../../src/config/load.ts";
import { havePeer, runPeer, tempFolder } from "../support/peers.ts";
import { type Finished, run, type World } from "./support.ts";

const PASSWORD = "correct horse";

/** A folder with a config, and commands on its users. */
interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly usersFile: string;
  user(args: readonly string[], world?: World): Promise<Finished>;
  /** Logs in at an authenticator that reads the same files. */
  login(name: string, password: string): Promise<string>;
}

async function place(config = ""): Promise<Place> {
  const folder = await tempFolder();
  const file = `${folder.path}/posthouse.toml`;
  await Deno.writeTextFile(file, `data_dir = "${folder.path}/data"\n${config}`);
  return {
    folder: folder.path,
    usersFile: `${folder.path}/data/users.toml`,
    user: (args, world = {}) => run(["user", ...args, "--config", file], world),
    login: (name, password) => login(file, { name, password }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function login(
  file: string,
  { name, password }: { name: string; password: string },
): Promise<string> {
  const loaded = await loadConfig({
    path: file,
    env: () => undefined,
    readFile: (path) => Deno.readTextFile(path),
    systemHostname: "relay.example.net",
  });
  assert(loaded.kind === "ok");
  await using authenticator = await createAuthenticator(loaded.config, {
    usersFile: usersFileOf(loaded.config),
    onTrouble: (message) => assertEquals(message, ""),
    random: systemRandom,
  });
  const facts = { clientAddress: "192.0.2.1", tls: true, certificate: null };
  const text = new TextEncoder().encode(`\0${name}\0${password}`);
  const step = await authenticator.start("PLAIN", facts)?.begin(text.toBase64());
  return step === undefined ? "not offered" : told(step);
}

function told(step: AuthStep): string {
  if (step.kind !== "success") return step.kind === "failure" ? step.cause : step.kind;
  const { user, device } = step.identity;
  return device === null ? user : `${user}/${device}`;
}

Deno.test("a user that was added can log in, and nobody else can read the file", async () => {
  await using at = await place();
  const args = ["add", "Alice@example.net", "--password-stdin"];
  const { code, out, err } = await at.user(args, { stdin: `${PASSWORD}\n` });
  assertEquals([code, out, err], [0, "", `Added Alice@example.net. (${at.usersFile})\n`]);
  assertEquals((await Deno.stat(at.usersFile)).mode! & 0o777, 0o600);
  assert(!(await Deno.readTextFile(at.usersFile)).includes(PASSWORD));
  assertEquals(await at.login("alice@example.net", PASSWORD), "Alice@example.net");
  assertEquals(
    await at.login("alice@example.net", "wrong"),
    `wrong password for user "Alice@example.net"`,
  );
});

Deno.test("a password is asked for twice at a terminal", async () => {
  await using at = await place();
  const terminals = ["stdin"] as const;
  const same = await at.user(["add", "alice"], { terminals, stdin: `${PASSWORD}\n${PASSWORD}` });
  assertEquals([same.code, same.out], [0, ""]);
  assertStringIncludes(same.err, "Password: \nRepeat the password: \n");
  const other = await at.user(["add", "bob"], { terminals, stdin: `${PASSWORD}\nsomething` });
  assertEquals(other.code, 2);
  assertStringIncludes(other.err, "The passwords differ.");
});

Deno.test("a password that is made up is printed once", async () => {
  await using at = await place();
  const { code, out } = await at.user(["add", "app", "--generate"]);
  assertEquals(code, 0);
  assertMatch(out, /^[0-9a-z]{4}(-[0-9a-z]{4}){4}\n$/);
  assertEquals(await at.login("app", out.trim()), "app");
  const other = await at.user(["add", "other", "--generate", "--json"]);
  const { name, password } = JSON.parse(other.out);
  assertEquals([name, await at.login("other", password)], ["other", "other"]);
});

Deno.test("a device has a password of its own, which can be revoked alone", async () => {
  await using at = await place();
  await at.user(["add", "alice", "--password-stdin"], { stdin: PASSWORD });
  const { out } = await at.user(["device", "alice", "phone"]);
  const printer = await at.user(["device", "alice", "printer", "--password-stdin"], {
    stdin: "paper jam 42",
  });
  assertEquals([printer.code, printer.out], [0, ""]);
  assertEquals(await at.login("alice", out.trim()), "alice/phone");
  assertEquals(await at.login("alice", "paper jam 42"), "alice/printer");
  assertEquals(await at.login("alice", PASSWORD), "alice");
  assertEquals((await at.user(["device", "alice", "phone", "--revoke"])).code, 0);
  assertEquals(await at.login("alice", out.trim()), `wrong password for user "alice"`);
  assertEquals(await at.login("alice", "paper jam 42"), "alice/printer");
});

Deno.test("a changed password leaves those of devices", async () => {
  await using at = await place();
  await at.user(["add", "alice", "--password-stdin"], { stdin: PASSWORD });
  await at.user(["device", "alice", "phone", "--password-stdin"], { stdin: "ring ring" });
  const { code } = await at.user(["passwd", "alice", "--password-stdin"], { stdin: "new secret" });
  assertEquals(code, 0);
  assertEquals(await at.login("alice", "new secret"), "alice");
  assertEquals(await at.login("alice", "ring ring"), "alice/phone");
  assertEquals(await at.login("alice", PASSWORD), `wrong password for user "alice"`);
});

Deno.test("what a user may do is set, listed and lifted", async () => {
  await using at = await place();
  await at.user(["add", "app", "--no-password", "--sender", "*@example.net", "--per-hour", "5"]);
  await at.user(["set", "app", "--message-size", "1MiB", "--disable"]);
  const { out } = await at.user(["list", "--json"]);
  assertEquals(JSON.parse(out), {
    users: [{
      name: "app",
      enabled: false,
      source: "file",
      hasPassword: false,
      hasScram: false,
      devices: [],
      senders: ["*@example.net"],
      messageSizeBytes: 1024 * 1024,
      messagesPerHour: 5,
      messagesPerDay: null,
      senderCheck: "both",
    }],
  });
  const table = (await at.user(["list"])).out;
  assertMatch(table, /^app +disabled +file +- +- +\*@example\.net +1MiB, 5\/h$/m);
  await at.user(["set", "app", "--enable", "--any-sender", "--no-limits"]);
  assertMatch(
    (await at.user(["list"])).out,
    /^app +enabled +file +- +- +any +-$/m,
  );
});

Deno.test("a user of the config is listed, and changed there", async () => {
  await using at = await place(`[[users]]\nname = "carol"\n`);
  assertMatch((await at.user(["list"])).out, /^carol +enabled +config/m);
  const set = await at.user(["set", "carol", "--disable"]);
  assertEquals([set.code, set.err], [
    1,
    `User "carol" is defined in the config file; change it there.\n`,
  ]);
  const add = await at.user(["add", "Carol", "--no-password"]);
  assertEquals([add.code, add.err], [
    1,
    `Cannot use the users file: user "Carol" is defined twice\n`,
  ]);
});

Deno.test("a removed user cannot log in", async () => {
  await using at = await place();
  await at.user(["add", "alice", "--password-stdin"], { stdin: PASSWORD });
  await at.user(["add", "bob", "--password-stdin"], { stdin: PASSWORD });
  assertEquals((await at.user(["remove", "ALICE"])).code, 0);
  assertEquals(await at.login("alice", PASSWORD), "no such user");
  assertEquals(await at.login("bob", PASSWORD), "bob");
  assertEquals((await at.user(["remove", "alice"])).err, `There is no user "alice".\n`);
});

Deno.test("a user for the config file is printed and nothing is written", async () => {
  await using at = await place();
  const args = ["add", "alice", "--print", "--password-stdin", "--no-scram"];
  const { code, out } = await at.user(args, { stdin: PASSWORD });
  assertEquals(code, 0);
  assertMatch(
    out,
    /^\[\[users\]\]\nname = "alice"\npassword = "\$scrypt\$ln=14,r=8,p=5\$[^"]+"\n$/,
  );
  assertEquals(await Deno.stat(at.usersFile).catch(() => null), null);
});

Deno.test("commands side by side lose nothing", async () => {
  await using at = await place();
  const names = ["a", "b", "c", "d", "e"];
  await Promise.all(names.map((name) => at.user(["add", name, "--no-password"])));
  const { out } = await at.user(["list", "--json"]);
  const { users } = JSON.parse(out) as { users: { name: string }[] };
  assertEquals(users.map(({ name }) => name).sort(), names);
});

Deno.test("a broken users file is told with its place and left alone", async () => {
  await using at = await place();
  await Deno.mkdir(`${at.folder}/data`);
  await Deno.writeTextFile(at.usersFile, `[[users]]\nnme = "alice"\n`);
  const { code, err } = await at.user(["add", "bob", "--no-password"]);
  assertEquals(code, 1);
  assertStringIncludes(err, `users.toml:2:1: users[0].nme: expected one of name`);
  assertEquals(await Deno.readTextFile(at.usersFile), `[[users]]\nnme = "alice"\n`);
});

const WRONG: readonly (readonly [readonly string[], string])[] = [
  [["add"], "Expected the name of a user, got nothing."],
  [["add", "a", "b"], "Expected the name of a user, got a b."],
  [["add", "a"], "Cannot ask for a password without a terminal"],
  [["add", "a", "--password-stdin"], "The password is too short"],
  [["add", "a", "--no-password", "--message-size", "big"], "--message-size needs a size"],
  [["add", "a", "--no-password", "--per-day", "0"], "A message limit must be at least 1."],
  [["set", "a", "--enable", "--disable"], "Use either --enable or --disable."],
  [["device", "a"], "Expected the name of a user and that of a device, got a."],
];

for (const [args, reason] of WRONG) {
  Deno.test(`user ${args.join(" ")} is wrong usage`, async () => {
    await using at = await place();
    const { code, err } = await at.user(args, { stdin: "short" });
    assertEquals(code, 2);
    assertStringIncludes(err, reason);
  });
}

Deno.test("a name with a space is refused before anything is written", async () => {
  await using at = await place();
  const { code, err } = await at.user(["add", "a b", "--no-password"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "expected a name without white space");
  assertEquals(await Deno.stat(at.usersFile).catch(() => null), null);
});

Deno.test({
  name: "the prompt at a real terminal shows nothing that is typed (needs python3)",
  ignore: !havePeer("python3"),
  async fn() {
    await using at = await place();
    const main = new URL("../../src/main.ts", import.meta.url).pathname;
    const script = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
def wait(text):
    global seen
    while text not in seen:
        seen += os.read(fd, 1024)
for prompt in (b"Password: ", b"Repeat the password: "):
    wait(prompt)
    os.write(fd, b"corr\\x7frect horse\\r")
try:
    while True:
        data = os.read(fd, 1024)
        if not data: break
        seen += data
except OSError:
    pass
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), b"horse" in seen)
`;
    const { stdout, stderr } = await runPeer("python3", {
      args: [
        ...["-c", script, Deno.execPath(), "run", "--no-prompt"],
        ...["--allow-read", "--allow-write", "--allow-env", "--allow-sys=hostname", main],
        ...["user", "add", "alice", "--config", `${at.folder}/posthouse.toml`],
      ],
    });
    assertEquals([stdout, stderr], ["0 False\n", ""]);
    assertEquals(await at.login("alice", PASSWORD), "alice");
  },
});
