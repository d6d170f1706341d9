import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsersError } from "../../src/auth/create_authenticator.ts";
import type { UsersFile, UsersRead } from "../../src/auth/user_source.ts";
import { settle } from "../support/manual_clock.ts";
import { bench, CLIENT, makeUser, plainLogin, SETTINGS, told } from "./support.ts";

const alice = await makeUser({ name: "alice", password: "right" });
const bob = await makeUser({ name: "bob", password: "right" });

/** A file that a test writes. */
class TestFile implements UsersFile {
  #version = 0;
  #read: UsersRead = { kind: "ok", users: [], decoyKey: null };
  reads = 0;

  write(read: UsersRead): void {
    this.#version++;
    this.#read = read;
  }

  version = () => Promise.resolve(String(this.#version));

  read = () => {
    this.reads++;
    return Promise.resolve(this.#read);
  };
}

function usersOf(...users: (typeof alice)[]): UsersRead {
  return { kind: "ok", users, decoyKey: null };
}

Deno.test("a user added to the file can log in at the next EHLO", async () => {
  const usersFile = new TestFile();
  await using on = await bench({}, { usersFile });
  assertEquals(on.authenticator.mechanisms(CLIENT), []);
  usersFile.write(usersOf(alice));
  await on.clock.advance(20);
  const looks = [on.authenticator.refresh(), on.authenticator.refresh()];
  assert(looks[0] !== null && looks[0] === looks[1], "who comes meanwhile waits for the same look");
  await looks[0];
  assert(on.authenticator.mechanisms(CLIENT).includes("PLAIN"));
  assertEquals(
    told(await plainLogin(on, { user: "alice", password: "right" })),
    "success alice",
  );
});

Deno.test("a user removed from the file is gone at the next login", async () => {
  const usersFile = new TestFile();
  usersFile.write(usersOf(alice, bob));
  await using on = await bench({}, { usersFile });
  await plainLogin(on, { user: "alice", password: "right" });
  usersFile.write(usersOf(bob));
  await on.clock.advance(1000);
  assertEquals(
    told(await plainLogin(on, { user: "alice", password: "right" })),
    "credentials: no such user",
  );
  assertEquals(on.authenticator.account("alice"), null);
});

Deno.test("a file that did not change is not read again", async () => {
  const usersFile = new TestFile();
  usersFile.write(usersOf(alice));
  await using on = await bench({}, { usersFile });
  for (let time = 0; time < 3; time++) {
    await on.clock.advance(5000);
    await plainLogin(on, { user: "alice", password: "right" });
  }
  assertEquals(usersFile.reads, 1);
});

Deno.test("a broken file leaves the former users and is told once", async () => {
  const usersFile = new TestFile();
  usersFile.write(usersOf(alice));
  await using on = await bench({}, { usersFile });
  usersFile.write({ kind: "broken", reason: "users.toml:1:1: expected a table" });
  for (let time = 0; time < 3; time++) {
    await on.clock.advance(1000);
    assertEquals((await plainLogin(on, { user: "alice", password: "right" })).kind, "success");
  }
  assertEquals(on.troubles, [
    "Cannot reload the users file; the previous users stay in force: users.toml:1:1: expected a table",
  ]);
});

Deno.test("a user of the config and one of the file must not have one name", async () => {
  const usersFile = new TestFile();
  usersFile.write(usersOf(alice));
  await assertRejects(
    () => bench({ auth: SETTINGS, users: [alice] }, { usersFile }),
    UsersError,
    `Cannot use the users file: user "alice" is defined twice`,
  );
});

Deno.test("a look at an account notices a changed file, too", async () => {
  const usersFile = new TestFile();
  await using on = await bench({}, { usersFile });
  usersFile.write(usersOf(alice));
  assertEquals(on.authenticator.account("alice"), null);
  await settle();
  assertEquals(on.authenticator.account("alice"), null, "looked at less than a second ago");
  await on.clock.advance(1000);
  on.authenticator.account("alice");
  await settle();
  assertEquals(on.authenticator.account("alice")?.name, "alice");
});

Deno.test("a file that cannot be read any more leaves the former users, and is told of each look", async () => {
  const usersFile = new TestFile();
  usersFile.write(usersOf(alice));
  await using on = await bench({}, { usersFile });
  usersFile.version = () => Promise.reject(new Error("permission denied"));
  await on.clock.advance(1000);
  assertEquals((await plainLogin(on, { user: "alice", password: "right" })).kind, "success");
  assertEquals(on.troubles, [
    "Cannot reload the users file; the previous users stay in force: permission denied",
  ]);
});

Deno.test("a file whose users cannot be used is told, and a later one that can be is taken", async () => {
  const usersFile = new TestFile();
  usersFile.write(usersOf(alice));
  await using on = await bench({ users: [bob] }, { usersFile });
  usersFile.write(usersOf(bob));
  await on.clock.advance(1000);
  await plainLogin(on, { user: "alice", password: "right" });
  assertEquals(on.troubles, [
    `Cannot reload the users file; the previous users stay in force: user "bob" is defined twice`,
  ]);
  usersFile.write(usersOf());
  await on.clock.advance(1000);
  await plainLogin(on, { user: "bob", password: "right" });
  assertEquals(on.authenticator.account("alice"), null);
});

Deno.test("a look at a file that is not in force any more changes nothing", async () => {
  const former = new TestFile();
  former.write(usersOf(alice));
  await using on = await bench({}, { usersFile: former });
  const read = Promise.withResolvers<UsersRead>();
  former.write(usersOf(alice));
  former.read = () => read.promise;
  await on.clock.advance(1000);
  on.authenticator.account("alice");
  await settle();
  await on.authenticator.reload({ auth: SETTINGS, users: [bob] }, { usersFile: null });
  read.resolve(usersOf(alice));
  await settle();
  assertEquals(on.authenticator.account("alice"), null);
  assertEquals(on.authenticator.account("bob")?.name, "bob");
});
