/** The steps of a client session, each with its own time limit. */
export const STAGES = [
  "greeting",
  "hello",
  "starttls",
  "auth",
  "mail",
  "rcpt",
  "data",
  "body",
  "dot",
  "rset",
  "quit",
] as const;

/** Where a session stands: the command whose reply is awaited, or `body` while octets flow. */
export type Stage = typeof STAGES[number];

/** How long each step may take, in milliseconds. */
export type StageTimeouts = Readonly<Record<Stage, number>>;

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/**
 * The least values of RFC 5321 4.5.3.2. `body` is for each block of the message, not for all of
 * it. The others have no value there: nothing of a message is lost when a server is slow with them.
 */
export const DEFAULT_TIMEOUTS: StageTimeouts = {
  greeting: 5 * MINUTE, // 4.5.3.2.1
  hello: 5 * MINUTE,
  starttls: MINUTE,
  auth: MINUTE,
  mail: 5 * MINUTE, // 4.5.3.2.2
  rcpt: 5 * MINUTE, // 4.5.3.2.3
  data: 2 * MINUTE, // 4.5.3.2.4
  body: 3 * MINUTE, // 4.5.3.2.5
  dot: 10 * MINUTE, // 4.5.3.2.6
  rset: 20 * SECOND,
  quit: 2 * SECOND,
};
