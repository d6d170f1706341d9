import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { AdminUser, ApiKey, KeyRole, KeysPort, SenderCheck, UsersPort } from "../ports.ts";
import { AccessFile, type KeptKey, type KeptUser } from "./access_file.ts";
import { isPassword, isSameText, newSecret, passwordHash, secretHash } from "./secrets.ts";

/** A token that stands in the configuration. */
export interface ConfiguredToken {
  readonly name: string;
  readonly role: KeyRole;
  /** As in `ApiKey`. */
  readonly send: boolean;
  readonly senders: readonly string[] | null;
  readonly senderCheck: SenderCheck;
  readonly token: string;
}

/** Begins the secret of every key, so that people and scanners know one when they see it. */
const PREFIX = "posthouse";
const SECRET = new RegExp(`^${PREFIX}_([A-Za-z0-9-]{8})_([\\w-]{43})$`);
const USE_STEP_MS = 60_000;

export interface AccessOptions {
  /** Path of the file of keys and users. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly tokens?: readonly ConfiguredToken[];
}

/** Who may use the admin API: keys and users in a file, tokens of the configuration, a local key. */
export class Access {
  readonly keys: KeysPort;
  readonly users: UsersPort;
  readonly #configured: ConfiguredKeys;

  constructor({ path, clock, random, tokens = [] }: AccessOptions) {
    const file = new AccessFile(path);
    this.#configured = new ConfiguredKeys(clock.now(), tokens);
    this.keys = new FileKeys({ file, clock, random, configured: this.#configured });
    this.users = new FileUsers({ file, clock, random });
  }

  /** Uses other tokens of the configuration. */
  replaceTokens(tokens: readonly ConfiguredToken[]): void {
    this.#configured.tokens = tokens;
  }

  /** Lets anyone who has this secret do everything; null ends that. */
  useLocalKey(secret: string | null): void {
    this.#configured.local = secret === null ? null : { ...LOCAL, token: secret };
  }

  /** A token of the configuration by its name, for protocols that sign with a shared secret. */
  sharedSecret(name: string): { readonly key: ApiKey; readonly secret: string } | null {
    return this.#configured.find(name);
  }

  /** Whether anybody could sign in who cannot read the data folder. */
  async hasCredentials(): Promise<boolean> {
    const [keys, users] = await Promise.all([this.keys.list(), this.users.list()]);
    return keys.filter(({ name }) => name !== LOCAL.name).length + users.length > 0;
  }
}

/** The local key, whose secret is new at each start. */
const LOCAL: Omit<ConfiguredToken, "token"> = {
  ...{ name: "command line", role: "admin", send: true, senders: null, senderCheck: "both" },
};

/** The tokens of the configuration as keys. */
class ConfiguredKeys {
  tokens: readonly ConfiguredToken[];
  local: ConfiguredToken | null = null;
  readonly #startedAtMs: number;

  constructor(startedAtMs: number, tokens: readonly ConfiguredToken[]) {
    this.#startedAtMs = startedAtMs;
    this.tokens = tokens;
  }

  list(): ApiKey[] {
    return this.#all().map((token) => this.#keyOf(token));
  }

  verify(secret: string): ApiKey | null {
    const found = this.#all().filter(({ token }) => isSameText(token, secret));
    return found[0] === undefined ? null : this.#keyOf(found[0]);
  }

  stamp(id: string): string | null {
    const found = this.#all().find((token) => idOf(token) === id);
    return found === undefined ? null : secretHash(found.token);
  }

  find(name: string): { key: ApiKey; secret: string } | null {
    const found = this.tokens.find((token) => token.name === name);
    return found === undefined ? null : { key: this.#keyOf(found), secret: found.token };
  }

  #all(): readonly ConfiguredToken[] {
    return this.local === null ? this.tokens : [...this.tokens, this.local];
  }

  #keyOf({ token: _token, ...shown }: ConfiguredToken): ApiKey {
    return {
      ...{ ...shown, id: idOf(shown), createdBy: "configuration", source: "config" },
      createdAtMs: this.#startedAtMs,
      expiresAtMs: null,
      lastUsedAtMs: null,
    };
  }
}

function idOf({ name }: Pick<ConfiguredToken, "name">): string {
  return `config-${name}`;
}

type CreateRequest = Parameters<KeysPort["create"]>[0];

/** Whether a role may hand in mail where nothing else is said. */
function roleSends(role: KeyRole): boolean {
  return role !== "viewer";
}

interface FileParts {
  readonly file: AccessFile;
  readonly clock: Clock;
  readonly random: Random;
}

class FileKeys implements KeysPort {
  readonly #parts: FileParts;
  readonly #configured: ConfiguredKeys;
  readonly #usedAtMs = new Map<string, number>();

  constructor({ configured, ...parts }: FileParts & { configured: ConfiguredKeys }) {
    this.#parts = parts;
    this.#configured = configured;
  }

  async list(): Promise<ApiKey[]> {
    const { keys } = await this.#parts.file.read();
    return [...this.#configured.list(), ...keys.map((key) => this.#shown(key))];
  }

  async create(
    { name, role, send = roleSends(role), senders = null, ...request }: CreateRequest,
  ): ReturnType<KeysPort["create"]> {
    const { file, clock, random } = this.#parts;
    const { senderCheck = "both", expiresAtMs, by } = request;
    const id = newSecret(random).replaceAll("_", "-").slice(0, 8);
    const secret = `${PREFIX}_${id}_${newSecret(random)}`;
    const hash = secretHash(secret);
    const createdAtMs = clock.now();
    const right = { role, send, senders: senders && [...senders], senderCheck };
    const kept = { id, name, ...right, hash, createdAtMs, createdBy: by, expiresAtMs };
    await file.change((data) => ({ data: { ...data, keys: [...data.keys, kept] }, result: null }));
    return { key: this.#shown(kept), secret };
  }

  revoke(id: string): Promise<boolean> {
    return this.#parts.file.change((data) => {
      const keys = data.keys.filter((key) => key.id !== id);
      const isThere = keys.length < data.keys.length;
      return { data: isThere ? { ...data, keys } : data, result: isThere };
    });
  }

  async verify(secret: string): Promise<ApiKey | null> {
    const configured = this.#configured.verify(secret);
    if (configured !== null) return configured;
    const id = SECRET.exec(secret)?.[1];
    if (id === undefined) return null;
    const { keys } = await this.#parts.file.read();
    const kept = keys.find((key) => key.id === id);
    if (kept === undefined || !isSameText(secretHash(secret), kept.hash)) return null;
    if (this.#isOver(kept)) return null;
    const nowMs = this.#parts.clock.now();
    this.#usedAtMs.set(id, nowMs - nowMs % USE_STEP_MS);
    return this.#shown(kept);
  }

  async stamp(id: string): Promise<string | null> {
    const configured = this.#configured.stamp(id);
    if (configured !== null) return configured;
    const { keys } = await this.#parts.file.read();
    const kept = keys.find((key) => key.id === id);
    return kept === undefined || this.#isOver(kept) ? null : kept.hash;
  }

  #isOver({ expiresAtMs }: KeptKey): boolean {
    return expiresAtMs !== null && expiresAtMs <= this.#parts.clock.now();
  }

  #shown({ hash: _hash, ...key }: KeptKey): ApiKey {
    return {
      ...key,
      send: key.send ?? roleSends(key.role),
      lastUsedAtMs: this.#usedAtMs.get(key.id) ?? null,
      source: "file",
    };
  }
}

class FileUsers implements UsersPort {
  readonly #parts: FileParts;

  constructor(parts: FileParts) {
    this.#parts = parts;
  }

  async list(): Promise<AdminUser[]> {
    const { users } = await this.#parts.file.read();
    return users.map(shownUser);
  }

  async get(name: string): Promise<AdminUser | null> {
    const kept = await this.#find(name);
    return kept === undefined ? null : shownUser(kept);
  }

  async put(
    { name, role, password }: Parameters<UsersPort["put"]>[0],
  ): ReturnType<UsersPort["put"]> {
    const { file, clock, random } = this.#parts;
    const hash = password === undefined ? null : await passwordHash(password, random);
    return await file.change((data) => {
      const before = data.users.find((user) => user.name === name);
      const kept = hash ?? before?.passwordHash;
      if (kept === undefined) return { data, result: "password_needed" };
      const createdAtMs = before?.createdAtMs ?? clock.now();
      const user: KeptUser = { name, role, passwordHash: kept, createdAtMs };
      const users = [...data.users.filter((other) => other.name !== name), user];
      return { data: { ...data, users }, result: before === undefined ? "created" : "changed" };
    });
  }

  remove(name: string): Promise<boolean> {
    return this.#parts.file.change((data) => {
      const users = data.users.filter((user) => user.name !== name);
      const isThere = users.length < data.users.length;
      return { data: isThere ? { ...data, users } : data, result: isThere };
    });
  }

  async verify(
    { name, password }: { name: string; password: string },
  ): Promise<AdminUser | null> {
    const kept = await this.#find(name);
    const isRight = await isPassword(password, kept?.passwordHash ?? null);
    return kept !== undefined && isRight ? shownUser(kept) : null;
  }

  async stamp(name: string): Promise<string | null> {
    const kept = await this.#find(name);
    return kept === undefined ? null : `${kept.createdAtMs} ${kept.passwordHash}`;
  }

  async #find(name: string): Promise<KeptUser | undefined> {
    const { users } = await this.#parts.file.read();
    return users.find((user) => user.name === name);
  }
}

function shownUser({ name, role, createdAtMs }: KeptUser): AdminUser {
  return { name, role, createdAtMs };
}
