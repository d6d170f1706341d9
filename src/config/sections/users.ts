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
    "Where senders hold: for the reverse-path (envelope), for From, Sender and Resent-* (header), " +
      "or both. Mail in names that are not among them is never signed.",
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
  name: nameText().describe("Names the device in logs and to revoke it."),
  password: passwordHash().describe("The device's own password; its hash has the user's salt."),
  scram: scramKeys().optional().describe("Keys of that password for SCRAM."),
});

const user = table({
  name: nameText().describe("What the user logs in as, in any case; often a mail address."),
  enabled: flag().default(true).describe("Whether the user may log in."),
  password: passwordHash().optional()
    .describe("Hash of the password; without one the user has devices, tokens or a certificate."),
  scram: scramKeys().optional().describe("Keys of the password for SCRAM."),
  senders: listOf(text({
    expected: `a mail address, in which "*" stands for any text, or "" for the null reverse-path`,
    isValid: (value) => /^[^\s<>]*$/.test(value),
  })).optional().describe("Mailboxes the user may send as; all where not given."),
  sender_check: senderCheck(),
  message_size: size({ minBytes: 1 }).optional()
    .describe("Largest message of the user; that of all where not given."),
  messages_per_hour: count().optional().describe("Messages within any hour; no limit by default."),
  messages_per_day: count().optional().describe("Messages within any day; no limit by default."),
  devices: listOf(device).default([]).describe("Passwords that can be revoked one by one."),
});

/** The `[[users]]` tables. */
export const usersSchema = listOf(user).default([])
  .describe("Who may log in, besides those of the users file.");

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
