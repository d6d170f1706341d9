import { endsAbruptly, isInLines } from "../../mail/header_form.ts";
import { countFields, fieldText, type MessageHeader } from "../../mail/headers.ts";
import { type Reply, reply } from "../../mail/reply.ts";
import { type AuthorDecision, decideAuthors } from "../../policy/authors.ts";
import type { SyncCheck } from "../check.ts";
import type { ContentRequest } from "../facts.ts";
import { senderRulesFor } from "./user.ts";

type ContentCheck = SyncCheck<ContentRequest, AuthorDecision>;

const LOOP = reply(554, "5.4.6", "Routing loop detected"); // RFC 5321 6.3
const NO_HEADER = reply(554, "5.6.0", "The message does not begin with a header field");
const NO_FIELD = reply(554, "5.6.0", "The header section has an invalid line");
// RFC 3030 section 3 lets bodies be binary; the header section stays lines of text.
const BINARY_HEADER = reply(554, "5.6.0", "The header section has octets that are no lines");
const REVOKED = reply(550, "5.7.1", "Not authorized to send");

/**
 * How often a message may come through this relay: content filters and forwarders hand it in again,
 * and a loop would multiply it until the other limit.
 */
const MAX_VISITS = 5;

/** Ends loops by the count of Received fields, of all and of this relay's own. */
export const hops: ContentCheck = {
  name: "hops",
  about: "Received fields of the message",
  judge({ request: { header, maxHops, hostname } }) {
    const hops = countFields(header, "received");
    const isLoop = hops > maxHops || (hops > MAX_VISITS && visits(header, hostname) > MAX_VISITS);
    return isLoop ? refused(LOOP) : null;
  },
};

/** Tells programs at once what is wrong with the message that they made. */
export const headerForm: ContentCheck = {
  name: "header_form",
  about: "whether the header section that a program made is one",
  judge({ request: { received } }) {
    if (received === undefined) return null;
    const { header, hasBody } = received;
    if (!header.complete || (header.bytes.length === 0 && !hasBody)) return null;
    if (header.fields[0]?.start !== 0) return refused(NO_HEADER); // nor a mailbox file's line
    return endsAbruptly(header) && hasBody ? refused(NO_FIELD) : null;
  },
};

/** Refuses a header section that a binary message made of other octets. */
export const headerLines: ContentCheck = {
  name: "header_lines",
  about: "whether the header section consists of lines",
  judge: ({ request: { header } }) => isInLines(header.bytes) ? null : refused(BINARY_HEADER),
};

/** Holds users, and keys of HTTP, to their own names in From, Sender and Resent-*. */
export const authors: ContentCheck = {
  name: "authors",
  about: "authors in whose names the user may write",
  judge({ facts, request: { header } }, rules) {
    const allowed = senderRulesFor(facts, rules);
    if (allowed === "none") return null;
    return allowed === null ? refused(REVOKED) : decideAuthors(allowed, header);
  },
};

/** How many Received fields this relay wrote (see `formatReceived`). */
function visits(header: MessageHeader, hostname: string): number {
  const own = `by ${hostname} with `.toLowerCase();
  return header.fields.filter((field) =>
    field.name.toLowerCase() === "received" &&
    fieldText(header.bytes, field).toLowerCase().includes(own)
  ).length;
}

function refused(reply: Reply): AuthorDecision {
  return { kind: "refuse", reply };
}
