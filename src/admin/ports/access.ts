/** Who may come in: roles, keys of programs, users. */

/** What an operator may do: look, act on mail and destinations, or change the relay itself. */
export const ROLES = ["viewer", "operator", "admin"] as const;

export type Role = typeof ROLES[number];

/** What a key is for: one of a person's roles, or to hand in mail and nothing else. */
export const KEY_ROLES = ["sender", ...ROLES] as const;

export type KeyRole = typeof KEY_ROLES[number];

/** Where a key's senders hold: for reverse-paths, for authors in the header section, or both. */
export const SENDER_CHECKS = ["both", "envelope", "header"] as const;

export type SenderCheck = typeof SENDER_CHECKS[number];

/** A key for programs, sent as `Authorization: Bearer`. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  /** Whether it may hand in mail. */
  readonly send: boolean;
  /**
   * Whole mailboxes it may send as, in which `*` stands for any run of characters and an empty one
   * for the null reverse-path; null for all.
   */
  readonly senders: readonly string[] | null;
  /** Where they hold. */
  readonly senderCheck: SenderCheck;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly expiresAtMs: number | null;
  /** Known since the start only, to the minute. */
  readonly lastUsedAtMs: number | null;
  /** Keys from the configuration cannot be revoked here. */
  readonly source: "file" | "config";
}

/** API keys. Only hashes are kept. */
export interface KeysPort {
  list(): Promise<readonly ApiKey[]>;
  /** The secret is shown this once. */
  create(request: {
    readonly name: string;
    readonly role: KeyRole;
    /** As in `ApiKey`; all but a viewer may where not given. */
    readonly send?: boolean;
    readonly senders?: readonly string[] | null;
    /** Both where not given. */
    readonly senderCheck?: SenderCheck;
    readonly expiresAtMs: number | null;
    readonly by: string;
  }): Promise<{ readonly key: ApiKey; readonly secret: string }>;
  /** False when no such key can be revoked. */
  revoke(id: string): Promise<boolean>;
  /** The key a secret belongs to; null when there is none or its time is over. */
  verify(secret: string): Promise<ApiKey | null>;
  /**
   * What tells the present secret of a key from another one under its id; null when there is no
   * such key or its time is over. What a secret began ends when this changes.
   */
  stamp(id: string): Promise<string | null>;
}

/** Somebody who signs in to the dashboard. */
export interface AdminUser {
  readonly name: string;
  readonly role: Role;
  readonly createdAtMs: number;
}

/** Users. Only hashes of passwords are kept. */
export interface UsersPort {
  list(): Promise<readonly AdminUser[]>;
  get(name: string): Promise<AdminUser | null>;
  /** Adds a user or replaces password and role; an absent password keeps the former one. */
  put(request: {
    readonly name: string;
    readonly role: Role;
    readonly password?: string;
  }): Promise<"created" | "changed" | "password_needed">;
  remove(name: string): Promise<boolean>;
  /** As for keys: it changes with the password, and when a user is removed and made anew. */
  stamp(name: string): Promise<string | null>;
  /** Takes the same time whether or not the user exists. */
  verify(credentials: { readonly name: string; readonly password: string }): Promise<
    AdminUser | null
  >;
}
