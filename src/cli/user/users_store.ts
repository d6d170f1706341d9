import { usersFilePath } from "../../app/users_file.ts";
import { buildUserTable } from "../../auth/user_table.ts";
import { encodeBase64 } from "../../auth/base64.ts";
import type { Config } from "../../config/schema.ts";
import { formatProblem } from "../../config/problems.ts";
import type { UserDocument } from "../../config/sections/users.ts";
import { formatUsersFile, parseUsersFile, type UsersDocument } from "../../config/users_file.ts";
import { replaceFile, withFileLock } from "./replace_file.ts";

/** What an edit makes of the users, or why it does nothing. */
export type Edit =
  | { readonly kind: "changed"; readonly users: readonly UserDocument[] }
  | { readonly kind: "refused"; readonly reason: string };

/** The result of an edit. */
export type EditResult =
  | { readonly kind: "written"; readonly path: string }
  | { readonly kind: "refused"; readonly reason: string };

/** What stands in the users file. */
export type UsersOnDisk =
  | { readonly kind: "ok"; readonly path: string; readonly document: UsersDocument }
  | { readonly kind: "refused"; readonly reason: string };

const DECOY_KEY_BYTES = 32;

/** Reads the users file; one that is not there has no users. */
export async function readUsers(config: Config): Promise<UsersOnDisk> {
  const path = usersFilePath(config);
  try {
    const parsed = parseUsersFile(await Deno.readTextFile(path), { file: path });
    return parsed.kind === "ok"
      ? { kind: "ok", path, document: parsed.document }
      : { kind: "refused", reason: parsed.problems.map(formatProblem).join("\n") };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "ok", path, document: {} };
    return { kind: "refused", reason: `Cannot read ${path}: ${messageOf(error)}` };
  }
}

/**
 * Changes the users file: one command at a time, all or nothing, and only to users that the relay
 * can take.
 */
export async function editUsers(
  config: Config,
  edit: (users: readonly UserDocument[]) => Edit | Promise<Edit>,
): Promise<EditResult> {
  const path = usersFilePath(config);
  try {
    return await withFileLock(path, async () => {
      const read = await readUsers(config);
      if (read.kind === "refused") return read;
      const edited = await edit(read.document.users ?? []);
      if (edited.kind === "refused") return edited;
      const text = formatUsersFile({
        decoy_key: read.document.decoy_key ?? newDecoyKey(),
        users: edited.users,
      });
      const reason = problemWith(text, { path, config });
      if (reason !== null) return { kind: "refused", reason };
      await replaceFile(path, text);
      return { kind: "written", path };
    });
  } catch (error) {
    return { kind: "refused", reason: `Cannot write ${path}: ${messageOf(error)}` };
  }
}

/** Why the relay could not take this file; null when it can. */
function problemWith(
  text: string,
  { path, config }: { path: string; config: Config },
): string | null {
  const parsed = parseUsersFile(text, { file: path });
  if (parsed.kind === "invalid") {
    return parsed.problems.map(({ path, expected, got }) =>
      `Cannot write ${path}: expected ${expected}, got ${got}`
    ).join("\n");
  }
  const table = buildUserTable([...config.users, ...parsed.users]);
  return table.kind === "ok" ? null : `Cannot use the users file: ${table.problems.join("; ")}`;
}

function newDecoyKey(): string {
  return encodeBase64(crypto.getRandomValues(new Uint8Array(DECOY_KEY_BYTES)));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
