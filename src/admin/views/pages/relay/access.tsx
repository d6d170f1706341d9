import { z } from "zod";
import { lineText } from "../../../api/schemas/fields.ts";
import { type AdminUser, type ApiKey, KEY_ROLES, ROLES } from "../../../ports.ts";
import { Empty, Notice, Panel } from "../../parts/boxes.tsx";
import {
  ActionButton,
  blankForm,
  checkForm,
  type FormState,
  SelectField,
  TextField,
} from "../../parts/form.tsx";
import { Icon } from "../../parts/icon.tsx";
import { Time } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";

const role = z.enum(ROLES);
const ROLE_OPTIONS = [
  { value: "viewer", text: "viewer: only reads" },
  { value: "operator", text: "operator: acts on mail" },
  { value: "admin", text: "admin: does everything" },
];

const userSchema = z.object({
  user: lineText({ max: 100 }).min(1),
  role,
  password: z.string().min(10, { error: "expected at least 10 characters" }).max(1024).optional(),
});
const keySchema = z.object({
  name: lineText({ max: 100 }).min(1),
  keyRole: z.enum(KEY_ROLES),
  senders: lineText({ max: 10_000 }).transform((text) => text.split(/[\s,]+/)).optional(),
});

const DONE: Readonly<Record<string, string>> = {
  created: "Added the user.",
  changed: "Changed the user.",
  removed: "Removed the user and ended their sessions.",
  revoked: "Revoked the key.",
};

const KEY_ROLE_OPTIONS = [
  { value: "sender", text: "sender: only submits mail" },
  ...ROLE_OPTIONS,
];

interface AccessForms {
  readonly user?: FormState;
  readonly key?: FormState;
  /** A key that was just made; shown this once. */
  readonly secret?: string;
}

/** Who may use the dashboard and the API. */
export async function accessPage(
  visit: Visit,
  { user = blankForm(), key = blankForm(), secret }: AccessForms = {},
): Promise<Response> {
  const { users, keys } = visit.ports;
  const [people, programs] = await Promise.all([users.list(), keys.list()]);
  const done = DONE[visit.c.req.query("did") ?? ""];
  const isWrong = Object.keys({ ...user.errors, ...key.errors }).length > 0;
  return await visit.show({
    title: "Access",
    place: "/access",
    status: isWrong ? 400 : 200,
    children: (
      <>
        <header class="page-head">
          <h1>Access</h1>
          <p class="page-lead">People sign in with a password; programs use a key.</p>
        </header>
        {done !== undefined && <Notice tone="good">{done}</Notice>}
        {secret !== undefined && <Secret secret={secret} />}
        <div class="columns">
          <div class="half stack">
            <UsersPanel users={people} nowMs={visit.nowMs} />
            <UserForm form={user} />
          </div>
          <div class="half stack">
            <KeysPanel keys={programs} nowMs={visit.nowMs} />
            <KeyForm form={key} />
          </div>
        </div>
      </>
    ),
  });
}

/** Adds a user, or changes role or password. */
export async function putUser(visit: Visit): Promise<Response> {
  const values = await visit.form();
  const checked = checkForm(userSchema, values);
  // The password is not sent back into the page.
  const shown = { ...values, password: "" };
  if (checked.kind === "wrong") {
    return await accessPage(visit, { user: { ...checked.form, values: shown } });
  }
  const { user: name, role, password } = checked.data;
  const result = await visit.ports.users.put({
    ...{ name, role },
    ...(password === undefined ? {} : { password }),
  });
  if (result === "password_needed") {
    const errors = { password: "is needed for a new user" };
    return await accessPage(visit, { user: { values: shown, errors } });
  }
  if (password !== undefined) visit.sessions.endAllOf({ kind: "user", name });
  return visit.goTo(`/access?did=${result}`);
}

/** Removes a user. */
export async function removeUser(visit: Visit): Promise<Response> {
  const { name = "" } = await visit.form();
  await visit.ports.users.remove(name);
  visit.sessions.endAllOf({ kind: "user", name });
  return visit.goTo("/access?did=removed");
}

/** Makes a key and shows its secret, once. */
export async function createKey(visit: Visit): Promise<Response> {
  const checked = checkForm(keySchema, await visit.form());
  if (checked.kind === "wrong") return await accessPage(visit, { key: checked.form });
  const { name, keyRole, senders = null } = checked.data;
  const { secret } = await visit.ports.keys.create({
    ...{ name, role: keyRole, senders, by: visit.actor },
    expiresAtMs: null,
  });
  return await accessPage(visit, { secret });
}

/** Revokes a key. */
export async function revokeKey(visit: Visit): Promise<Response> {
  const { id = "" } = await visit.form();
  await visit.ports.keys.revoke(id);
  visit.sessions.endAllOf({ kind: "key", name: id });
  return visit.goTo("/access?did=revoked");
}

function Secret({ secret }: { secret: string }) {
  return (
    <Notice tone="good">
      <b>New key. It is shown only once.</b> Send it as <code>Authorization: Bearer</code>.
      <p class="wrap">
        <code>{secret}</code>{" "}
        <button type="button" class="button quiet small" data-copy={secret}>
          <Icon name="copy" size={13} />
          <span data-copy-said>Copy</span>
        </button>
      </p>
    </Notice>
  );
}

function UsersPanel({ users, nowMs }: { users: readonly AdminUser[]; nowMs: number }) {
  return (
    <Panel id="users" title="People">
      {users.length === 0
        ? (
          <Empty icon="access" title="No user can sign in" tight>
            <p>
              Add an admin below, or with the command <code>posthouse user</code>.
            </p>
          </Empty>
        )
        : (
          <table class="table ways">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Role</th>
                <th scope="col">Since</th>
                <th scope="col">
                  <span class="sr-only">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {users.map(({ name, role, createdAtMs }) => (
                <tr>
                  <td class="strong wrap">{name}</td>
                  <td>{role}</td>
                  <td class="nowrap">
                    <Time atMs={createdAtMs} nowMs={nowMs} />
                  </td>
                  <td class="row-actions">
                    <ActionButton
                      action="/access/users/remove"
                      values={{ name }}
                      label={
                        <>
                          Remove<span class="sr-only">{` ${name}`}</span>
                        </>
                      }
                      isDangerous
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
    </Panel>
  );
}

function UserForm({ form }: { form: FormState }) {
  return (
    <Panel id="put-user" title="Add or change a user">
      <form class="panel-body form" method="post" action="/access/users">
        <TextField form={form} name="user" label="Name" required />
        <SelectField form={form} name="role" label="Role" options={ROLE_OPTIONS} />
        <TextField
          form={form}
          name="password"
          label="Password"
          type="password"
          complete="new-password"
          hint="At least 10 characters. Leave empty to keep the current one."
          isFull
        />
        <div class="button-row full">
          <button type="submit" class="button primary">Save</button>
        </div>
      </form>
    </Panel>
  );
}

function KeysPanel({ keys, nowMs }: { keys: readonly ApiKey[]; nowMs: number }) {
  return (
    <Panel id="keys" title="API keys">
      {keys.length === 0
        ? (
          <Empty icon="lock" title="There are no keys" tight>
            <p>Create one for each program, so that you can revoke each separately.</p>
          </Empty>
        )
        : (
          <table class="table ways">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Role</th>
                <th scope="col">Last used</th>
                <th scope="col">
                  <span class="sr-only">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>{keys.map((key) => <KeyRow apiKey={key} nowMs={nowMs} />)}</tbody>
          </table>
        )}
    </Panel>
  );
}

function KeyRow({ apiKey, nowMs }: { apiKey: ApiKey; nowMs: number }) {
  const { id, name, role, createdBy, lastUsedAtMs, source, senders } = apiKey;
  return (
    <tr>
      <td class="wrap">
        <span class="strong">{name}</span> <span class="faint small">by {createdBy}</span>
        {senders !== null && <div class="faint small">sends as {senders.join(" ")}</div>}
      </td>
      <td>{role}</td>
      <td class="nowrap">
        {lastUsedAtMs === null
          ? <span class="faint">not since the start</span>
          : <Time atMs={lastUsedAtMs} nowMs={nowMs} />}
      </td>
      <td class="row-actions">
        {source === "config" ? <span class="faint small">in the config</span> : (
          <ActionButton
            action="/access/keys/revoke"
            values={{ id }}
            label={
              <>
                Revoke<span class="sr-only">{` ${name}`}</span>
              </>
            }
            isDangerous
          />
        )}
      </td>
    </tr>
  );
}

function KeyForm({ form }: { form: FormState }) {
  return (
    <Panel id="create-key" title="Create a key">
      <form class="panel-body form" method="post" action="/access/keys">
        <TextField form={form} name="name" label="Purpose" required />
        <SelectField form={form} name="keyRole" label="Role" options={KEY_ROLE_OPTIONS} />
        <TextField
          form={form}
          name="senders"
          label="May send as"
          placeholder="*@shop.example"
          hint="Mailboxes separated by spaces; * matches any text. Leave empty for all."
          isFull
        />
        <div class="button-row full">
          <button type="submit" class="button primary">Create a key</button>
        </div>
      </form>
    </Panel>
  );
}
