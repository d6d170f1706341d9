import type { BodyType } from "../../mail/envelope.ts";
import { type Reply, reply } from "../../mail/reply.ts";
import type { Offer, ParamHandler } from "./extension.ts";
import type { MailParams } from "./state.ts";

/** The extension that each value of BODY needs. */
const BODY_TYPES: Readonly<Record<BodyType, string>> = {
  "7BIT": "8BITMIME",
  "8BITMIME": "8BITMIME",
  "BINARYMIME": "BINARYMIME",
};

/** BODY (RFC 6152 section 2, RFC 3030 section 3). */
export const readBodyType: ParamHandler<MailParams> = ({ params, value, session }) => {
  const allowed = allowedTypes(session.context.offer);
  const body = allowed.find((type) => type === value?.toUpperCase());
  if (body === undefined) return badBody(allowed);
  params.body = body;
  return null;
};

function allowedTypes({ extensions }: Offer): BodyType[] {
  const types = Object.keys(BODY_TYPES) as BodyType[];
  return types.filter((type) => extensions.some(({ name }) => name === BODY_TYPES[type]));
}

function badBody(allowed: readonly BodyType[]): Reply {
  return reply(501, "5.5.4", `BODY is ${allowed.join(" or ")}`);
}
