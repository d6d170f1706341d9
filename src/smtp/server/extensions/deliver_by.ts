import { reply } from "../../../mail/reply.ts";
import type { Extension, ParamHandler } from "../extension.ts";
import type { MailParams } from "../state.ts";
import { HELD_TOO_LONG, isHeldTooLong } from "../hold.ts";

const BAD_BY = reply(501, "5.5.4", "BY is seconds, a semicolon, R or N, and perhaps T");
const TOO_SOON = reply(553, "5.4.7", "Cannot deliver that soon"); // RFC 2852 section 4.1

/** DELIVERBY (RFC 2852): by when a message is of use, and what to do later than that. */
export const deliverBy: Extension = {
  name: "DELIVERBY",
  ehloLine: ({ context }) => {
    const minSeconds = Math.ceil(context.limits.minDeliverByMs / 1000);
    return minSeconds === 0 ? "DELIVERBY" : `DELIVERBY ${minSeconds}`;
  },
  extraLineBytes: { MAIL: 17 }, // section 3 (5)
  mailParams: { BY: readBy },
};

function readBy({ params, value, session }: Parameters<ParamHandler<MailParams>>[0]) {
  const match = /^([+-]?\d{1,9});([RN])(T?)$/i.exec(value ?? "");
  if (match === null) return BAD_BY;
  const byMs = Number(match[1]) * 1000;
  const mode = match[2]?.toUpperCase() === "R" ? "R" : "N";
  if (mode === "R" && byMs <= 0) return BAD_BY; // section 4.1
  const { clock, limits } = session.context;
  if (mode === "R" && byMs < limits.minDeliverByMs) return TOO_SOON;
  const trace = match[3] !== "";
  params.extras.deliverBy = { deadlineMs: clock.now() + byMs, mode, trace };
  return isHeldTooLong(params.extras) ? HELD_TOO_LONG : null;
}
