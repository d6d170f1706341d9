import type { Account } from "./authenticator.ts";
import {
  DEFAULT_COST,
  type HashRecipe,
  isSameRecipe,
  parsePasswordHash,
  SALT_BYTES,
} from "./password_hash.ts";
import { prepareUsername } from "./prepare.ts";
import { parseScramKeys, SCRAM_ITERATIONS, type ScramKeys } from "./scram_keys.ts";
import type { DeviceSettings, UserSettings } from "./settings.ts";

/** A user, its credentials read. */
export interface User {
  readonly account: Account;
  readonly enabled: boolean;
  /** All passwords of a user have one recipe, so that a check is one run of the hash. */
  readonly recipe: HashRecipe | null;
  readonly passwords: readonly UserPassword[];
  /** Keys of the passwords that have some; all with one salt and count. */
  readonly scram: readonly UserScramKeys[];
}

/** One password of a user; `device` is null for the user's own. */
export interface UserPassword {
  readonly device: string | null;
  readonly digest: Uint8Array;
}

/** The SCRAM keys of one password of a user. */
export interface UserScramKeys extends ScramKeys {
  readonly device: string | null;
}

/** What `buildUserTable` made of the settings. */
export type UserTableResult =
  | { readonly kind: "ok"; readonly table: UserTable }
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

/** All users by their prepared names, and what unknown ones are treated with. */
export class UserTable {
  readonly #users: ReadonlyMap<string, User>;
  /** The cost for names that do not exist: that of the users. */
  readonly decoyRecipe: HashRecipe;
  readonly decoyIterations: number;
  readonly hasPasswords: boolean;
  /** Whether a client that prefers SCRAM can log in with every password there is. */
  readonly hasScramForAll: boolean;

  constructor(users: ReadonlyMap<string, User>) {
    this.#users = users;
    const all = [...users.values()];
    const recipe = all.find((user) => user.recipe !== null)?.recipe;
    this.decoyRecipe = { ...DEFAULT_COST, ...recipe, salt: new Uint8Array(SALT_BYTES) };
    this.decoyIterations = all.find(({ scram }) => scram.length > 0)?.scram[0]?.iterations ??
      SCRAM_ITERATIONS;
    this.hasPasswords = all.some(({ passwords }) => passwords.length > 0);
    this.hasScramForAll = this.hasPasswords &&
      all.every(({ passwords, scram }) => passwords.length === scram.length);
  }

  /** The user of a name, in any case; null for none. */
  find(name: string): User | null {
    const prepared = prepareUsername(name);
    return prepared === null ? null : this.#users.get(prepared) ?? null;
  }
}

/** Reads the credentials of all users and finds what cannot be used. */
export function buildUserTable(settings: readonly UserSettings[]): UserTableResult {
  const users = new Map<string, User>();
  const problems: string[] = [];
  for (const user of settings) {
    const name = prepareUsername(user.name);
    const about = `user ${JSON.stringify(user.name)}`;
    if (name === null) problems.push(`${about} has a name that cannot be typed`);
    else if (users.has(name)) problems.push(`${about} is defined twice`);
    else {
      const read = readUser(user);
      if (typeof read === "string") problems.push(`${about} ${read}`);
      else users.set(name, read);
    }
  }
  return problems.length > 0
    ? { kind: "invalid", problems }
    : { kind: "ok", table: new UserTable(users) };
}

/** The user, or what is wrong with it. */
function readUser(settings: UserSettings): User | string {
  const credentials = credentialsOf(settings);
  const passwords: UserPassword[] = [];
  const scram: UserScramKeys[] = [];
  let recipe: HashRecipe | null = null;
  for (const { device, password, scram: keysText } of credentials) {
    const hash = parsePasswordHash(password);
    if (hash === null) return "has a password that is no scrypt hash";
    recipe ??= hash.recipe;
    if (!isSameRecipe(recipe, hash.recipe)) return "has passwords with different salts or costs";
    passwords.push({ device, digest: hash.digest });
    if (keysText === null) continue;
    const keys = parseScramKeys(keysText);
    if (keys === null) return "has SCRAM keys that cannot be read";
    if (!isSameScramSalt(keys, scram[0] ?? keys)) return "has SCRAM keys with different salts";
    scram.push({ ...keys, device });
  }
  return { account: accountOf(settings), enabled: settings.enabled, recipe, passwords, scram };
}

interface Credential extends Omit<DeviceSettings, "name"> {
  readonly device: string | null;
}

function credentialsOf({ password, scram, devices }: UserSettings): Credential[] {
  const own = password === null ? [] : [{ device: null, password, scram }];
  return [...own, ...devices.map(({ name, ...device }) => ({ device: name, ...device }))];
}

function isSameScramSalt(left: ScramKeys, right: ScramKeys): boolean {
  return left.iterations === right.iterations && left.salt.length === right.salt.length &&
    left.salt.every((octet, index) => octet === right.salt[index]);
}

function accountOf(settings: UserSettings): Account {
  const { name, senders, senderCheck, messageSizeBytes, messagesPerHour, messagesPerDay } =
    settings;
  const account = { name, senders, messageSizeBytes, messagesPerHour, messagesPerDay };
  return senderCheck === undefined ? account : { ...account, senderCheck };
}
