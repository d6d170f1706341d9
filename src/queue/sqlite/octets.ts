import type { Database } from "./database.ts";
import type { Workbench } from "./workbench.ts";

/** A message whose octets nobody needs any more. */
export interface OctetsOwner {
  readonly sequence: number;
  readonly spool: string | null;
  /** As the column `shared`. */
  readonly shared: number | null;
}

/** Makes the function that notes that a message uses the octets that stand under a number. */
export function octetsSharer(database: Database): (sequence: number, first: number) => void {
  const mark = database.prepare("UPDATE messages SET shared = ? WHERE seq = ?");
  const count = database.prepare(
    `INSERT INTO shared_octets VALUES (?, 1)
     ON CONFLICT (message) DO UPDATE SET uses = uses + 1`,
  );
  return (sequence, first) => {
    mark.run(first, sequence);
    count.run(first);
  };
}

/**
 * Makes the function that lets go of the octets of a message, once. Those that others share go with
 * the last of them.
 */
export function octetsReleaser(
  { database, unspooled }: Workbench,
): (owner: OctetsOwner) => void {
  const deleteBody = database.prepare("DELETE FROM bodies WHERE message = ?");
  const deleteHead = database.prepare("DELETE FROM heads WHERE message = ?");
  const release = database.prepare<[uses: number]>(
    "UPDATE shared_octets SET uses = uses - 1 WHERE message = ? RETURNING uses",
  );
  const forget = database.prepare("DELETE FROM shared_octets WHERE message = ?");

  return ({ sequence, spool, shared }) => {
    if (shared !== null) {
      deleteHead.run(sequence);
      const [uses = 0] = release.first(shared) ?? [];
      if (uses > 0) return;
      forget.run(shared);
    }
    if (spool === null) deleteBody.run(shared ?? sequence);
    else unspooled.push(spool);
  };
}
