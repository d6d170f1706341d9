import { reply } from "../../../mail/reply.ts";
import type { Extension, ParamHandler } from "../extension.ts";
import type { MailParams } from "../state.ts";

const BAD_PRIORITY = reply(501, "5.5.4", "MT-PRIORITY is a whole number from -9 to 9");
const NORMAL = 0;
// RFC 6710 section 4.1 and its status X.3.6: the text begins with the priority that holds.
const LOWERED = reply(250, "2.3.6", `${NORMAL} is the new priority assigned to the message`);

/** MT-PRIORITY (RFC 6710). Only trusted clients get ahead of others; anybody may stand back. */
export const mtPriority: Extension = {
  name: "MT-PRIORITY",
  ehloLine: () => "MT-PRIORITY",
  extraLineBytes: { MAIL: 15 }, // section 3 (6)
  mailParams: { "MT-PRIORITY": readPriority },
};

function readPriority({ params, value, session }: Parameters<ParamHandler<MailParams>>[0]) {
  if (value === null || !/^(?:\d|-[1-9])$/.test(value)) return BAD_PRIORITY;
  const asked = Number(value);
  const isAllowed = asked <= NORMAL || session.context.policy.trusts(session);
  params.extras.priority = isAllowed ? asked : NORMAL;
  if (!isAllowed) params.note = LOWERED;
  return null;
}
