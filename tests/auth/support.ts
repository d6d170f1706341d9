import { Buffer } from "node:buffer";
import type { AuthExchange, AuthFacts, AuthStep } from "../../src/auth/authenticator.ts";
import {
  type AuthConfiguration,
  type AuthenticatorOptions,
  createAuthenticator,
  type ManagedAuthenticator,
} from "../../src/auth/create_authenticator.ts";
import {
  formatPasswordHash,
  type Hasher,
  hashPassword,
  type HashRecipe,
} from "../../src/auth/password_hash.ts";
import { formatScramKeys, makeScramKeys } from "../../src/auth/scram_keys.ts";
import type { AuthSettings, UserSettings } from "../../src/auth/settings.ts";
import { seededRandom } from "../../src/base/random.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** A cost that tests can pay. */
const RECIPE: Omit<HashRecipe, "salt"> = { logCost: 2, blockSize: 8, parallelization: 1 };
const ITERATIONS = 4096;

/** Everything on, nothing slowed before the third failure. */
export const SETTINGS: AuthSettings = {
  mechanisms: null,
  maxHashing: 2,
  cacheMs: 60_000,
  throttle: { freeFailures: 3, delayMs: 1000, maxDelayMs: 8000, forgetMs: 900_000 },
  oauth: null,
  certificates: [],
};

/** A client on a TLS connection. */
export const CLIENT: AuthFacts = {
  clientAddress: "192.0.2.1",
  tls: true,
  certificate: null,
};

/** What a test says of a user; passwords are plain. */
export interface TestUser extends Partial<Omit<UserSettings, "password" | "scram" | "devices">> {
  readonly password?: string;
  readonly devices?: Readonly<Record<string, string>>;
  readonly scram?: boolean;
}

/** A user with hashed passwords; all of one salt, as `posthouse user` makes them. */
export async function makeUser(
  { password, devices = {}, scram = true, ...rest }: TestUser & { readonly name: string },
): Promise<UserSettings> {
  const salt = new TextEncoder().encode(rest.name.padEnd(16, ".").slice(0, 16));
  const hash = async (text: string) =>
    formatPasswordHash({
      recipe: { ...RECIPE, salt },
      digest: await hashPassword(text, { ...RECIPE, salt }),
    });
  const keys = async (text: string) =>
    scram ? formatScramKeys(await makeScramKeys(text, { salt, iterations: ITERATIONS })) : null;
  return {
    enabled: true,
    senders: null,
    messageSizeBytes: null,
    messagesPerHour: null,
    messagesPerDay: null,
    password: password === undefined ? null : await hash(password),
    scram: password === undefined ? null : await keys(password),
    devices: await Promise.all(
      Object.entries(devices).map(async ([name, text]) => ({
        name,
        password: await hash(text),
        scram: await keys(text),
      })),
    ),
    ...rest,
  };
}

/** An authenticator on a clock that stands still, and what it did. */
export interface Bench extends AsyncDisposable {
  readonly authenticator: ManagedAuthenticator;
  readonly clock: ManualClock;
  /** Passwords that were hashed. */
  readonly hashed: string[];
  readonly troubles: string[];
}

/** Makes an authenticator for a test. */
export async function bench(
  configuration: Partial<AuthConfiguration>,
  options: Partial<AuthenticatorOptions> = {},
): Promise<Bench> {
  const clock = new ManualClock();
  const hashed: string[] = [];
  const troubles: string[] = [];
  const hasher: Hasher = (password, recipe) => {
    hashed.push(password);
    return hashPassword(password, recipe);
  };
  const authenticator = await createAuthenticator(
    { auth: SETTINGS, users: [], ...configuration },
    {
      usersFile: null,
      onTrouble: (message) => troubles.push(message),
      clock,
      random: seededRandom(1),
      hasher,
      ...options,
    },
  );
  return {
    authenticator,
    clock,
    hashed,
    troubles,
    [Symbol.asyncDispose]: () => authenticator[Symbol.asyncDispose](),
  };
}

/** An exchange of a mechanism that is offered. */
export function exchangeOf(
  { authenticator }: Pick<Bench, "authenticator">,
  mechanism: string,
  facts: AuthFacts = CLIENT,
): AuthExchange {
  const exchange = authenticator.start(mechanism, facts);
  if (exchange === null) throw new Error(`${mechanism} is not offered`);
  return exchange;
}

/** Logs in with PLAIN. */
export async function plainLogin(
  on: Pick<Bench, "authenticator">,
  { user, password, facts = CLIENT }: { user: string; password: string; facts?: AuthFacts },
): Promise<AuthStep> {
  return await exchangeOf(on, "PLAIN", facts).begin(base64(`\0${user}\0${password}`));
}

/** `success user/device`, or `failure: cause`, or `challenge text`. */
export function told(step: AuthStep): string {
  switch (step.kind) {
    case "challenge":
      return `challenge ${Buffer.from(step.text, "base64").toString()}`;
    case "success": {
      const { user, device } = step.identity;
      return `success ${user}${device === null ? "" : `/${device}`}`;
    }
    case "failure":
      return `${step.failure}: ${step.cause}`;
  }
}

/** Base64 of UTF-8. */
export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
