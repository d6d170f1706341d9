import type { z } from "zod";
import { count, flag, listOf, oneOf, size, table, text } from "../fields.ts";
import { secret } from "../secrets.ts";
import { sizeBytes } from "../units.ts";

/** Where `senders` hold: for reverse-paths, for authors in the header section, or both. */
export const SENDER_CHECKS = ["both", "envelope", "header"] as const;
export type SenderCheck = typeof SENDER_CHECKS[number];

/** The key of that. */
export function senderCheck() {
  return oneOf(SENDER_CHECKS).default("both").describe(
    "Where senders applies: to the reverse-path (envelope), to From, Sender and Resent-* " +
      "(header), or to both. Mail of authors that are not listed is never signed.",
  );
}

/** A user that may authenticate, and what it may do then. */
export interface UserConfig {
  readonly name: string;
  readonly enabled: boolean;
  /** PHC string of scrypt; null for a user without a password of its own. */
  readonly password: string | null;
  /** Keys for SCRAM as RFC 5803 writes them. */
  readonly scram: string | null;
  /** Passwords that can be revoked one by one. */
  readonly devices: readonly DeviceConfig[];
  /** Patterns of mailboxes; null for all. */
  readonly senders: readonly string[] | null;
  /** Where they hold. */
  readonly senderCheck: SenderCheck;
  /** Null for the limit of all. */
  readonly messageSizeBytes: number | null;
  /** Null for no limit. */
  readonly messagesPerHour: number | null;
  readonly messagesPerDay: number | null;
}

/** A named password of a user. */
export interface DeviceConfig {
  readonly name: string;
  readonly password: string;
  readonly scram: string | null;
}

function nameText(): z.ZodString {
  return text({
    expected: "a name without white space, of at most 255 characters",
    isValid: (value) => /^\S{1,255}$/.test(value),
  });
}

function passwordHash(): z.ZodString {
  return secret(text({
    expected: `a hash made by "posthouse user add", such as "$scrypt$ln=14,r=8,p=5$…"`,
    isValid: (value) =>
      /^\$scrypt\$ln=\d{1,2},r=\d{1,2},p=\d{1,2}\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{43}$/.test(value),
  }));
}

function scramKeys(): z.ZodString {
  return secret(text({
    expected: `keys made by "posthouse user add", such as "SCRAM-SHA-256$100000:…"`,
    isValid: (value) =>
      /^SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/.test(value),
  }));
}

const device = table({
  name: nameText().describe("Name of the device in logs and for revocation."),
  password: passwordHash().describe("Password hash of the device, with the user's salt."),
  scram: scramKeys().optional().describe("SCRAM keys of that password."),
});

const user = table({
  name: nameText().describe("Login name, case-insensitive; often a mail address."),
  enabled: flag().default(true).describe("Allow the user to log in."),
  password: passwordHash().optional()
    .describe("Password hash. Without it, the user logs in with devices, tokens or a certificate."),
  scram: scramKeys().optional().describe("SCRAM keys of the password."),
  senders: listOf(text({
    expected: `a mail address, in which "*" stands for any text, or "" for the null reverse-path`,
    isValid: (value) => /^[^\s<>]*$/.test(value),
  })).optional().describe("Mailboxes the user may send as. Default: all."),
  sender_check: senderCheck(),
  message_size: size({ minBytes: 1 }).optional()
    .describe("Largest message of the user. Default: limits.message_size."),
  messages_per_hour: count().optional().describe("Messages in any hour. Default: no limit."),
  messages_per_day: count().optional().describe("Messages in any day. Default: no limit."),
  devices: listOf(device).default([]).describe("Passwords for single devices, each revocable."),
});

/** The `[[users]]` tables. */
export const usersSchema = listOf(user).default([])
  .describe("Users, in addition to those of the users file.");

/** A user as it is written. */
export type UserDocument = z.input<typeof user>;

export function userConfig(doc: z.output<typeof user>): UserConfig {
  return {
    name: doc.name,
    enabled: doc.enabled,
    password: doc.password ?? null,
    scram: doc.scram ?? null,
    devices: doc.devices.map(({ name, password, scram = null }) => ({ name, password, scram })),
    senders: doc.senders ?? null,
    senderCheck: doc.sender_check,
    messageSizeBytes: doc.message_size === undefined ? null : sizeBytes(doc.message_size),
    messagesPerHour: doc.messages_per_hour ?? null,
    messagesPerDay: doc.messages_per_day ?? null,
  };
}
