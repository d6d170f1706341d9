/**
 * The store's worker, which dies in the next transaction when the file that its URL names is there:
 * `?at=before` or `?at=after` its commit. The file is removed first.
 */
import { Database } from "../../../src/queue/sqlite/database.ts";
import "../../../src/queue/sqlite/worker.ts";

const query = new URL(import.meta.url).searchParams;
const path = query.get("file") ?? "";
const { commit, rollback } = Database.prototype;
let isDying = false;

Database.prototype.commit = function () {
  isDying = wasThere(path);
  if (!isDying || query.get("at") === "after") commit.call(this);
  if (isDying) throw new Error("the worker dies");
};
Database.prototype.rollback = function () {
  if (isDying) throw new Error("the worker dies");
  rollback.call(this);
};

function wasThere(file: string): boolean {
  try {
    Deno.removeSync(file);
    return true;
  } catch {
    return false;
  }
}
