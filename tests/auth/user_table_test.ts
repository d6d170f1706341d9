import { assertEquals } from "@std/assert";
import type { UserSettings } from "../../src/auth/settings.ts";
import { buildUserTable, type UserTable } from "../../src/auth/user_table.ts";
import { makeUser } from "./support.ts";

const alice = await makeUser({ name: "alice", password: "right", devices: { phone: "other" } });
const bob = await makeUser({ name: "bob", password: "right", scram: false });

function table(...users: UserSettings[]): UserTable {
  const built = buildUserTable(users);
  if (built.kind === "invalid") throw new Error(built.problems.join("; "));
  return built.table;
}

function problems(...users: UserSettings[]): readonly string[] {
  const built = buildUserTable(users);
  return built.kind === "invalid" ? built.problems : [];
}

Deno.test("user table: says everything that is wrong", () => {
  assertEquals(
    problems(
      alice,
      { ...alice, name: "ALICE" },
      { ...bob, name: "a b" },
      { ...bob, name: "carl", password: "plain" },
      { ...alice, name: "dora", scram: "plain" },
      { ...alice, name: "emil", password: bob.password },
      {
        ...alice,
        name: "fred",
        scram: (alice.scram ?? "").replace(/:.*?\$/, ":AAAAAAAAAAAAAAAAAAAAAA==$"),
      },
      { ...alice, name: "gina", scram: (alice.scram ?? "").replace("$4096:", "$4097:") },
      {
        ...alice,
        name: "hans",
        password: (alice.password ?? "").replace("ln=2", "ln=3"),
      },
    ),
    [
      `user "ALICE" is defined twice`,
      `user "a b" has a name that cannot be typed`,
      `user "carl" has a password that is no scrypt hash`,
      `user "dora" has SCRAM keys that cannot be read`,
      `user "emil" has passwords with different salts or costs`,
      `user "fred" has SCRAM keys with different salts`,
      `user "gina" has SCRAM keys with different salts`,
      `user "hans" has passwords with different salts or costs`,
    ],
  );
});

Deno.test("user table: a decoy costs what a user costs, and what a new one would where there is none", () => {
  const cost = ({ decoyRecipe }: UserTable) => [
    ...[decoyRecipe.logCost, decoyRecipe.blockSize, decoyRecipe.parallelization],
    ...[decoyRecipe.salt.length, decoyRecipe.salt.every((octet) => octet === 0)],
  ];
  assertEquals(cost(table(alice)), [2, 8, 1, 16, true]);
  assertEquals(cost(table()), [14, 8, 5, 16, true]);
  const without = { ...alice, name: "zoe", password: null, scram: null, devices: [] };
  assertEquals(cost(table(without, bob)), [2, 8, 1, 16, true]);
  assertEquals([table(bob, alice).decoyIterations, table(bob).decoyIterations], [4096, 100_000]);
});

Deno.test("user table: SCRAM is for all or none who have passwords", () => {
  const without = { ...alice, name: "zoe", password: null, scram: null, devices: [] };
  const flags = (...users: UserSettings[]) => {
    const { hasPasswords, hasScramForAll } = table(...users);
    return [hasPasswords, hasScramForAll];
  };
  assertEquals(flags(alice), [true, true]);
  assertEquals(flags(alice, bob), [true, false]);
  assertEquals(flags(alice, without), [true, true]);
  assertEquals(flags(without), [false, false]);
  assertEquals(flags(), [false, false]);
});

Deno.test("user table: a user is found by its name in any form, with its own password and its devices'", () => {
  const found = table(alice, bob).find("ALICE");
  assertEquals(found?.passwords.map(({ device }) => device), [null, "phone"]);
  assertEquals(found?.scram.map(({ device }) => device), [null, "phone"]);
  assertEquals([found?.enabled, found?.account.name], [true, "alice"]);
  assertEquals(table(alice).find("bob"), null);
  assertEquals(table(alice).find("a b"), null);
  assertEquals(table({ ...bob, enabled: false }).find("bob")?.enabled, false);
});
