import { nearest } from "../base/suggest.ts";
import type { Finding } from "./cross_checks.ts";
import { isTable } from "./references.ts";

type Table = Readonly<Record<string, unknown>>;

/** The types of transports that send a reverse-path of the relay's choice. */
export const RETURN_PATH_TYPES: readonly string[] = ["mx", "smarthost", "lmtp"];

/** What bounces are given to goes by this name among transports. */
const OWN_NAME = "bounces";

/** Mistakes in `[bounces]` that only show when it is seen with the rest. */
export function* bounceFindings(root: Table): Iterable<Finding> {
  const { bounces } = root;
  if (!isTable(bounces)) return;
  const { domains, key } = bounces;
  const hasDomains = Array.isArray(domains) && domains.length > 0;
  if (hasDomains && key === undefined) {
    yield {
      path: ["bounces", "key"],
      expected: "a secret, because bounces.domains is set",
      got: "nothing",
    };
  }
  if (!hasDomains && key !== undefined) {
    const expected = "at least one domain, because bounces.key is set";
    yield { path: ["bounces", "domains"], expected, got: "nothing" };
  }
  if (hasDomains) yield* relayedFindings(root, domains);
  yield* transportFindings(root, bounces["transports"]);
  yield* postmasterFindings(root, bounces);
  if (isTable(root["transports"]) && root["transports"][OWN_NAME] !== undefined) {
    const expected = `a name other than ${OWN_NAME}, which bounces uses for its own transport`;
    yield { path: ["transports", OWN_NAME], expected, got: `a transport named ${OWN_NAME}` };
  }
}

function* relayedFindings({ relay }: Table, domains: readonly unknown[]): Iterable<Finding> {
  const relayed = isTable(relay) && Array.isArray(relay["domains"]) ? relay["domains"] : [];
  for (const [index, domain] of domains.entries()) {
    if (!relayed.includes(domain)) continue;
    const path = ["bounces", "domains", index];
    yield { path, expected: "a domain that is not in relay.domains" };
  }
}

/** What cannot be understood would go round in circles. */
function* postmasterFindings({ notifications }: Table, bounces: Table): Iterable<Finding> {
  const postmaster = isTable(notifications) ? notifications["postmaster"] : undefined;
  if (typeof postmaster !== "string") return;
  const own = [bounces["domains"], bounces["mailboxes"]].flat().map((one) =>
    String(one).toLowerCase()
  );
  const mailbox = postmaster.toLowerCase();
  if (!own.includes(mailbox) && !own.includes(mailbox.slice(mailbox.lastIndexOf("@") + 1))) return;
  const expected =
    "a mailbox outside bounces.domains and bounces.mailboxes, because reports that cannot be " +
    "parsed go to it";
  yield { path: ["notifications", "postmaster"], expected };
}

function* transportFindings({ transports }: Table, used: unknown): Iterable<Finding> {
  if (!Array.isArray(used)) return;
  const known = isTable(transports) ? transports : { mx: { type: "mx" } };
  for (const [index, name] of used.entries()) {
    if (typeof name !== "string") continue;
    const path = ["bounces", "transports", index];
    const transport = known[name];
    if (transport === undefined) {
      const names = Object.keys(known);
      const suggestion = nearest(name, names);
      const expected = `the name of a transport (${names.join(", ")})`;
      yield { path, expected, ...(suggestion === null ? {} : { suggestion }) };
      continue;
    }
    const type = isTable(transport) ? transport["type"] : undefined;
    if (typeof type !== "string" || RETURN_PATH_TYPES.includes(type)) continue;
    const expected = `a transport of type ${RETURN_PATH_TYPES.join(", ")}`;
    yield { path, expected, got: `one of type ${type}` };
  }
}
