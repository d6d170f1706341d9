import {
  DEFAULT_COST,
  formatPasswordHash,
  hashPassword,
  type HashRecipe,
  parsePasswordHash,
  SALT_BYTES,
} from "../../auth/password_hash.ts";
import {
  formatScramKeys,
  makeScramKeys,
  parseScramKeys,
  SCRAM_ITERATIONS,
} from "../../auth/scram_keys.ts";
import type { UserDocument } from "../../config/sections/users.ts";

/** What is stored of a password. */
export interface StoredPassword {
  readonly password: string;
  readonly scram?: string;
}

/** Whether SCRAM keys are made: as for the user's other passwords where `scram` says nothing. */
export interface StoreOptions {
  readonly scram?: boolean;
}

/**
 * Makes what is stored of a password, prepared by `preparePassword`. All passwords of a user get
 * the salt of the first one, so that checking one costs one hash whatever the number of devices.
 */
export async function storedPassword(
  user: UserDocument,
  password: string,
  { scram }: StoreOptions = {},
): Promise<StoredPassword> {
  const others = passwordsOf(user);
  const recipe = recipeOf(others);
  const digest = await hashPassword(password, recipe);
  const hash = formatPasswordHash({ recipe, digest });
  const wantsScram = scram ?? others.every((other) => other.scram !== undefined);
  if (!wantsScram) return { password: hash };
  const keys = await makeScramKeys(password, scramSaltOf(others));
  return { password: hash, scram: formatScramKeys(keys) };
}

function passwordsOf({ password, scram, devices = [] }: UserDocument): StoredPassword[] {
  const all = [{ password, scram }, ...devices];
  return all.flatMap(({ password, scram }) =>
    password === undefined ? [] : [{ password, ...(scram === undefined ? {} : { scram }) }]
  );
}

function recipeOf([first]: readonly StoredPassword[]): HashRecipe {
  const known = first === undefined ? null : parsePasswordHash(first.password);
  return known?.recipe ?? { ...DEFAULT_COST, salt: newSalt() };
}

function scramSaltOf(
  others: readonly StoredPassword[],
): { salt: Uint8Array; iterations: number } {
  const [first] = others.flatMap(({ scram }) => scram === undefined ? [] : [scram]);
  const known = first === undefined ? null : parseScramKeys(first);
  return known ?? { salt: newSalt(), iterations: SCRAM_ITERATIONS };
}

function newSalt(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SALT_BYTES));
}
