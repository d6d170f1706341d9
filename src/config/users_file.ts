import { table, text } from "./fields.ts";
import { printToml } from "./print_toml.ts";
import { type Problem, problemsOf } from "./problems.ts";
import { secret, secretKeys } from "./secrets.ts";
import { type UserConfig, userConfig, type UserDocument, usersSchema } from "./sections/users.ts";
import { parseToml } from "./toml.ts";

/** The keys of a users file; its `[[users]]` are those of the config file. */
export interface UsersDocument {
  /** 32 random octets, base64; by them unknown users look alike after every start. */
  readonly decoy_key?: string | undefined;
  readonly users?: readonly UserDocument[] | undefined;
}

/** What `parseUsersFile` found. */
export type UsersFileResult =
  | {
    readonly kind: "ok";
    /** As it was written. */
    readonly document: UsersDocument;
    readonly users: readonly UserConfig[];
    readonly decoyKey: string | null;
  }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

const usersFileSchema = table({
  decoy_key: secret(text({
    expected: "32 octets in base64",
    isValid: (value) => /^[A-Za-z0-9+/]{43}=$/.test(value),
  })).optional().describe(
    "Makes unknown users indistinguishable from known ones after every start.",
  ),
  users: usersSchema,
});

/** Reads a users file; `file` is what problems call it. */
export function parseUsersFile(source: string, { file }: { file: string }): UsersFileResult {
  const parsed = parseToml(source);
  if (parsed.kind === "invalid") {
    const problem = { file, path: "", ...parsed.position, expected: "valid TOML" };
    return { kind: "invalid", problems: [{ ...problem, got: parsed.reason }] };
  }
  const { root, positions } = parsed.document;
  const validated = usersFileSchema.safeParse(root);
  if (validated.success) {
    const { users, decoy_key: decoyKey = null } = validated.data;
    // What passed has the shape; unlike `data` it has no defaults filled in.
    const document = root as UsersDocument;
    return { kind: "ok", document, users: users.map(userConfig), decoyKey };
  }
  const secrets = secretKeys(usersFileSchema);
  const context = { file, root, positions, references: new Map(), secrets };
  const problems = validated.error.issues.flatMap((issue) => problemsOf(context, issue))
    .map(({ problem }) => problem);
  return { kind: "invalid", problems };
}

const HEADING = "# Written by posthouse user. Comments are lost when it writes again.\n";

/** The text of a users file. */
export function formatUsersFile({ decoy_key, users = [] }: UsersDocument): string {
  const key = decoy_key === undefined ? {} : { decoy_key };
  return `${HEADING}\n${printToml({ ...key, users })}`;
}
