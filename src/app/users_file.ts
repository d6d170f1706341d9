import { decodeBase64 } from "../auth/base64.ts";
import type { UsersFile, UsersRead } from "../auth/user_source.ts";
import type { Config } from "../config/schema.ts";
import { formatProblem } from "../config/problems.ts";
import { parseUsersFile } from "../config/users_file.ts";

/** The file of the users that commands make. */
export function usersFilePath({ auth, dataDir }: Pick<Config, "auth" | "dataDir">): string {
  return auth.usersFile ?? `${dataDir}/users.toml`;
}

/** The users file on disk, for the authenticator. */
export function usersFileOf(config: Pick<Config, "auth" | "dataDir">): UsersFile {
  const path = usersFilePath(config);
  return {
    version: () => versionOf(path),
    read: () => readUsers(path),
  };
}

/** Changes whenever the file is replaced or written; a missing file has a version too. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, mtime, size } = await Deno.stat(path);
    return `${ino} ${mtime?.getTime()} ${size}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

async function readUsers(path: string): Promise<UsersRead> {
  let source: string;
  try {
    source = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "ok", users: [], decoyKey: null };
    return { kind: "broken", reason: error instanceof Error ? error.message : String(error) };
  }
  const parsed = parseUsersFile(source, { file: path });
  if (parsed.kind === "invalid") {
    return { kind: "broken", reason: parsed.problems.map(formatProblem).join("; ") };
  }
  const { users, decoyKey } = parsed;
  return { kind: "ok", users, decoyKey: decoyKey === null ? null : decodeBase64(decoyKey) };
}
