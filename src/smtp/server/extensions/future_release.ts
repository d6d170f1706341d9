import { type Reply, reply } from "../../../mail/reply.ts";
import type { Extension, ParamHandler } from "../extension.ts";
import { HELD_TOO_LONG, isHeldTooLong } from "../hold.ts";
import type { MailParams } from "../state.ts";

const BAD_HOLDFOR = reply(501, "5.5.4", "HOLDFOR is a number of seconds, at most 9 digits");
const BAD_HOLDUNTIL = reply(501, "5.5.4", "HOLDUNTIL is a date and time like 2026-01-31T12:00:00Z");
const TWICE = reply(501, "5.5.4", "HOLDFOR and HOLDUNTIL exclude each other");
const TOO_LONG = reply(501, "5.5.4", "The message would be held longer than this server does");
const IN_THE_PAST = reply(501, "5.5.4", "HOLDUNTIL is in the past");
const NOT_YOU = reply(550, "5.7.1", "Holding mail is for those who submit it here");

type MailParam = Parameters<ParamHandler<MailParams>>[0];

/** FUTURERELEASE (RFC 4865): mail held until later, for clients that submit it (section 3). */
export const futureRelease: Extension = {
  name: "FUTURERELEASE",
  ehloLine: (session) => {
    const { clock, limits: { maxHoldMs }, policy } = session.context;
    if (maxHoldMs === 0 || !policy.trusts(session)) return null;
    return `FUTURERELEASE ${Math.floor(maxHoldMs / 1000)} ${dateTime(clock.now() + maxHoldMs)}`;
  },
  extraLineBytes: { MAIL: 34 }, // section 3
  mailParams: { HOLDFOR: readHoldFor, HOLDUNTIL: readHoldUntil },
};

function readHoldFor(request: MailParam): Reply | null {
  const { value, session } = request;
  if (value === null || !/^[1-9]\d{0,8}$/.test(value)) return BAD_HOLDFOR;
  return hold(request, session.context.clock.now() + Number(value) * 1000);
}

function readHoldUntil(request: MailParam): Reply | null {
  const untilMs = parseDateTime(request.value ?? "");
  return untilMs === null ? BAD_HOLDUNTIL : hold(request, untilMs);
}

function hold({ params, session }: MailParam, untilMs: number): Reply | null {
  const { clock, limits, policy } = session.context;
  if (!policy.trusts(session)) return NOT_YOU;
  if (params.extras.holdUntilMs !== undefined) return TWICE;
  const holdMs = untilMs - clock.now();
  if (holdMs <= 0) return IN_THE_PAST;
  if (holdMs > limits.maxHoldMs) return TOO_LONG;
  params.extras.holdUntilMs = untilMs;
  return isHeldTooLong(params.extras) ? HELD_TOO_LONG : null;
}

/** date-time of RFC 3339 section 5.6; null for anything else. */
function parseDateTime(text: string): number | null {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
  const timeMs = form.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(timeMs) ? null : timeMs;
}

function dateTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
