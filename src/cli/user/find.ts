import { isSameUsername } from "../../auth/prepare.ts";
import type { Config } from "../../config/schema.ts";
import type { UserDocument } from "../../config/sections/users.ts";
import type { Edit } from "./users_store.ts";

/** What an edit makes of one user: another one, none, or a reason why not. */
export type UserEdit =
  | { readonly kind: "changed"; readonly user: UserDocument | null }
  | { readonly kind: "refused"; readonly reason: string };

/** Turns an edit of the user called `name` into one of all users. */
export function editOf(
  name: string,
  { config, edit }: { config: Config; edit: (user: UserDocument) => UserEdit | Promise<UserEdit> },
): (users: readonly UserDocument[]) => Promise<Edit> {
  return async (users) => {
    const index = users.findIndex((user) => isSameUsername(user.name, name));
    const user = users[index];
    if (user === undefined) return { kind: "refused", reason: missing(name, config) };
    const edited = await edit(user);
    if (edited.kind === "refused") return edited;
    const others = edited.user === null ? [] : [edited.user];
    return { kind: "changed", users: users.toSpliced(index, 1, ...others) };
  };
}

function missing(name: string, config: Config): string {
  const quoted = JSON.stringify(name);
  return config.users.some((user) => isSameUsername(user.name, name))
    ? `User ${quoted} is defined in the config file; change it there.`
    : `There is no user ${quoted}.`;
}
