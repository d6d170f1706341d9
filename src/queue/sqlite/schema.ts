import { StoreError } from "../store.ts";
import type { Database } from "./database.ts";
import { SHAPE_SLOT_MS } from "../shape.ts";
import { POSITION_BITS } from "./key.ts";

/**
 * Searches go through the messages in buckets of 128. The index over recipients begins with the
 * bucket, so what is written together falls on few pages whatever its keys are, and a search for a
 * domain or a mailbox costs one seek for each bucket.
 */
export const BUCKET_BITS = 7;
/** The bucket of a recipient's key. */
export const KEY_BUCKET_BITS = POSITION_BITS + BUCKET_BITS;

/** As much of a last reply as searches look at: `451 4.7.1` and its like. */
export const REPLY_START_CHARS = 13;

/** As `reasonOf` in shape.ts. */
const SECOND_WORD = "substr(last_reply, 5, instr(substr(last_reply || ' ', 5), ' ') - 1)";
const REASON_SQL = `CASE
  WHEN last_reply = '' THEN ''
  WHEN last_reply || ' ' NOT GLOB '[2-5][0-9][0-9] *' THEN 'other'
  WHEN length(${SECOND_WORD}) BETWEEN 3 AND 9 AND ${SECOND_WORD} GLOB '[245].*'
    AND ${SECOND_WORD} NOT GLOB '*[^0-9.]*' THEN substr(last_reply, 1, 4) || ${SECOND_WORD}
  ELSE substr(last_reply, 1, 3) END`;

/** Each takes the schema from the version that is its position to the next. */
const MIGRATIONS: readonly string[] = [
  `
  -- What is known of a message, with the count of its recipients in each state.
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    received_at INTEGER NOT NULL,
    reverse_path TEXT NOT NULL,
    record TEXT NOT NULL,             -- MessageRecord as JSON
    spool TEXT,                       -- name of the spool file, when the octets are in one
    mask INTEGER NOT NULL,            -- a bit for each state that a recipient is in
    queued INTEGER NOT NULL,
    held INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    last_reply TEXT NOT NULL,
    done_at INTEGER                   -- when the last recipient became final
  );
  CREATE INDEX messages_by_mask ON messages (mask, seq, received_at);
  CREATE INDEX messages_by_sender ON messages (seq >> ${BUCKET_BITS}, lower(reverse_path));
  CREATE INDEX messages_done ON messages (done_at) WHERE done_at IS NOT NULL;

  CREATE TABLE recipients (
    key INTEGER PRIMARY KEY,          -- message and index, see key.ts
    forward_path TEXT NOT NULL,
    domain TEXT NOT NULL,
    extras TEXT,                      -- notify and originalRecipient as JSON
    state INTEGER NOT NULL,           -- position in RECIPIENT_STATES
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    delay_notified INTEGER NOT NULL,
    last_reply TEXT NOT NULL,
    owner TEXT,                       -- who holds the claim; only queued recipients are held
    lease_until INTEGER
  );
  CREATE INDEX recipients_due ON recipients (next_attempt_at, domain)
    WHERE state = 0 AND owner IS NULL;
  CREATE INDEX recipients_due_by_domain ON recipients (domain, next_attempt_at)
    WHERE state = 0 AND owner IS NULL;
  CREATE INDEX recipients_leased ON recipients (lease_until) WHERE owner IS NOT NULL;
  CREATE INDEX recipients_by_mailbox
    ON recipients (key >> ${KEY_BUCKET_BITS}, domain, lower(forward_path), state);

  -- Octets of messages that have a recipient that is not final, unless they are spooled.
  CREATE TABLE bodies (message INTEGER PRIMARY KEY, data BLOB NOT NULL);

  CREATE TABLE timeline (
    key INTEGER PRIMARY KEY,          -- message and step, see key.ts
    entry TEXT NOT NULL               -- TimelineEntry as JSON
  );

  -- Below 100 the messages with that mask, from 100 the recipients in that state.
  CREATE TABLE counters (key INTEGER PRIMARY KEY, n INTEGER NOT NULL);
  `,
  `
  -- Small records by name, see shelf.ts.
  CREATE TABLE shelf (
    space TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (space, key)
  ) WITHOUT ROWID;
  CREATE INDEX shelf_by_expiry ON shelf (expires_at) WHERE expires_at IS NOT NULL;

  -- What happened, for those who asked to be told, see outbox.ts. Places are never used again.
  CREATE TABLE outbox (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    message TEXT NOT NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL
  );
  CREATE INDEX outbox_by_time ON outbox (at);
  CREATE TABLE outbox_reached (webhook TEXT PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE outbox_calls (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    webhook TEXT NOT NULL,
    first_place INTEGER NOT NULL,
    last_place INTEGER NOT NULL,
    types TEXT NOT NULL,              -- separated by spaces
    status INTEGER,
    duration INTEGER NOT NULL,
    error TEXT NOT NULL
  );
  CREATE INDEX outbox_calls_by_webhook ON outbox_calls (webhook, id);
  `,
  `
  -- Octets of messages that failed are kept for a while, so that they can be sent again.
  ALTER TABLE messages ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX messages_kept ON messages (done_at) WHERE kept = 1;
  `,
  `
  -- The transport of the last attempt, or the one that an operator chose (a mark says which).
  ALTER TABLE recipients ADD COLUMN transport TEXT;
  `,
  `
  -- What people look for in messages, narrow enough for all of it to be looked at.
  CREATE TABLE facts (
    seq INTEGER PRIMARY KEY,
    mask INTEGER NOT NULL,            -- as in messages
    received_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    listener TEXT NOT NULL,
    text TEXT NOT NULL,               -- in lower case, see search_text.ts
    more INTEGER NOT NULL             -- whether it has recipients that the text leaves out
  );
  INSERT INTO facts
    SELECT seq, mask, received_at, coalesce(json_extract(read, '$.facts.sizeBytes'), 0),
      coalesce(json_extract(read, '$.origin.listener'), ''),
      lower(reverse_path || char(10) || coalesce(json_extract(read, '$.summary.subject'), '') ||
        char(10) || coalesce(json_extract(read, '$.summary.from'), '') || char(10)), 1
    FROM (SELECT *, iif(json_valid(record), record, '{}') AS read FROM messages);
  DROP INDEX IF EXISTS messages_by_sender;
  DROP INDEX IF EXISTS messages_by_mask;
  CREATE INDEX messages_by_mask ON messages (mask, received_at);

  -- The same of its message in each recipient, so that one index answers for both.
  ALTER TABLE recipients ADD COLUMN received_at INTEGER;
  ALTER TABLE recipients ADD COLUMN size INTEGER;
  ALTER TABLE recipients ADD COLUMN listener TEXT;
  UPDATE recipients SET (received_at, size, listener) =
    (SELECT received_at, size, listener FROM facts WHERE seq = key >> ${POSITION_BITS});
  DROP INDEX IF EXISTS recipients_by_mailbox;
  CREATE INDEX recipients_by_facts ON recipients (
    key >> ${KEY_BUCKET_BITS}, domain, lower(forward_path), state, attempts,
    substr(last_reply, 1, ${REPLY_START_CHARS}), transport, next_attempt_at, received_at, size,
    listener
  );
  `,
  `
  -- Octets that several messages have in common stand once, under the number of the first of them.
  ALTER TABLE messages ADD COLUMN shared INTEGER; -- that number; NULL when nothing is shared
  CREATE TABLE shared_octets (message INTEGER PRIMARY KEY, uses INTEGER NOT NULL);
  -- Octets of a message's own, in front of those.
  CREATE TABLE heads (message INTEGER PRIMARY KEY, data BLOB NOT NULL);
  `,
  `
  -- How many recipients wait, by what shape.ts tells apart; the domain * stands for all together.
  CREATE TABLE queue_shape (
    domain TEXT NOT NULL,
    state INTEGER NOT NULL,
    reason TEXT NOT NULL,
    slot INTEGER NOT NULL,            -- of the time of receipt
    n INTEGER NOT NULL,
    PRIMARY KEY (domain, state, reason, slot)
  ) WITHOUT ROWID;
  INSERT INTO queue_shape
    SELECT domain, state, reason, slot, count(*) FROM (
      SELECT domain, state, ${REASON_SQL} AS reason,
        coalesce(received_at, 0) / ${SHAPE_SLOT_MS} AS slot FROM recipients WHERE state < 2
    ) GROUP BY 1, 2, 3, 4;
  INSERT INTO queue_shape
    SELECT '*', state, reason, slot, sum(n) FROM queue_shape GROUP BY 2, 3, 4;
  `,
];

/** The version this program writes, kept in the database's user_version. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings a new or older database to this program's version.
 *
 * @throws StoreError `newer_schema` when a newer program wrote it.
 */
export function migrate(database: Database): void {
  if (versionOf(database) === SCHEMA_VERSION) return;
  database.begin();
  try {
    // Read again: another process may have been faster.
    for (const step of MIGRATIONS.slice(versionOf(database))) database.script(step);
    database.script(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    database.commit();
  } catch (error) {
    database.rollback();
    throw error;
  }
}

/** The version of a database that this program can use, 0 for an empty one. */
function versionOf(database: Database): number {
  const version = Number(database.pragma("user_version"));
  if (version <= SCHEMA_VERSION) return version;
  throw new StoreError(
    "newer_schema",
    `Cannot open the queue: a newer program wrote it, got schema version ${version} ` +
      `where this one knows up to ${SCHEMA_VERSION}`,
  );
}
