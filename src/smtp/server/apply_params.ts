import { type Reply, reply } from "../../mail/reply.ts";
import { parseParams } from "../wire/params.ts";
import type { ParamHandler } from "./extension.ts";
import type { VerbSession } from "./verb.ts";

const NEEDS_EHLO = reply(555, "5.5.4", "Parameters need EHLO");

/**
 * Reads the parameters after a path into `params`. Returns the refusal where one is unknown
 * (RFC 5321 4.1.1.11) or its handler does not take it.
 */
export function applyParams<Params>(
  text: string,
  { params, handlers, session }: {
    params: Params;
    handlers: ReadonlyMap<string, ParamHandler<Params>>;
    session: VerbSession;
  },
): Reply | null {
  const parsed = parseParams(text);
  if (parsed.kind === "error") return reply(501, "5.5.4", parsed.reason);
  if (parsed.params.length > 0 && !session.esmtp) return NEEDS_EHLO;
  for (const { keyword, value } of parsed.params) {
    const handler = handlers.get(keyword);
    if (handler === undefined) return reply(555, "5.5.4", "Parameter not recognized");
    const refusal = handler({ params, value, session });
    if (refusal !== null) return refusal;
  }
  return null;
}
