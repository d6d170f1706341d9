import type { Notify } from "../../../mail/envelope.ts";
import { reply } from "../../../mail/reply.ts";
import { isXtext } from "../../wire/xtext.ts";
import type { Extension, ParamHandler } from "../extension.ts";
import { type MailParams, type RcptParams, transactionOf } from "../state.ts";
import type { VerbSession } from "../verb.ts";

const BAD_RET = reply(501, "5.5.4", "RET is FULL or HDRS");
const BAD_ENVID = reply(501, "5.5.4", "ENVID is 1 to 100 characters of xtext");
const BAD_NOTIFY = reply(501, "5.5.4", "NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY");
const BAD_ORCPT = reply(501, "5.5.4", "ORCPT is an address type, a semicolon and xtext");

const ENVID_LIMIT_CHARS = 100; // RFC 3461 section 4.4
const ORCPT_LIMIT_CHARS = 500; // RFC 3461 section 4.2
const EVENTS: readonly string[] = ["SUCCESS", "FAILURE", "DELAY"] satisfies Notify[];

/** DSN (RFC 3461): what the sender wants to be told, carried on to who may have to tell it. */
export const dsn: Extension = {
  name: "DSN",
  ehloLine: () => "DSN",
  extraLineBytes: {
    MAIL: " RET=FULL ENVID=".length + ENVID_LIMIT_CHARS,
    RCPT: " NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=".length + ORCPT_LIMIT_CHARS,
  },
  mailParams: { RET: readRet, ENVID: readEnvid },
  rcptParams: { NOTIFY: readNotify, ORCPT: readOriginalRecipient },
};

type MailParam = Parameters<ParamHandler<MailParams>>[0];
type RcptParam = Parameters<ParamHandler<RcptParams>>[0];

/** RFC 3461 section 4.3 */
function readRet({ params, value }: MailParam) {
  const ret = value?.toUpperCase();
  if (ret !== "FULL" && ret !== "HDRS") return BAD_RET;
  params.extras.ret = ret;
  return null;
}

/** RFC 3461 section 4.4 */
function readEnvid({ params, value }: MailParam) {
  if (value === null || value.length > ENVID_LIMIT_CHARS || !isXtext(value)) return BAD_ENVID;
  params.extras.envid = value;
  return null;
}

/** RFC 3461 section 4.1 */
function readNotify({ params, value }: RcptParam) {
  const words = (value ?? "").toUpperCase().split(",");
  const isNever = words.length === 1 && words[0] === "NEVER";
  const areEvents = words.every((word) => EVENTS.includes(word));
  if (!isNever && !(areEvents && new Set(words).size === words.length)) return BAD_NOTIFY;
  params.notify = words as Notify[];
  return null;
}

/** RFC 3461 section 4.2; RFC 6533 section 3 adds addresses of type utf-8. */
function readOriginalRecipient({ params, value, session }: RcptParam) {
  if (value === null || value.length > ORCPT_LIMIT_CHARS) return BAD_ORCPT;
  const semicolon = value.indexOf(";");
  const type = value.slice(0, Math.max(semicolon, 0));
  const address = value.slice(semicolon + 1);
  if (!/^[a-z\d][a-z\d-]*$/i.test(type) || address === "") return BAD_ORCPT;
  if (!isXtext(address) && !isUtf8Address({ type, address }, session)) return BAD_ORCPT;
  params.originalRecipient = value;
  return null;
}

/** utf-8-addr-unitext: UTF-8 as it is, in a transaction that may hold it. */
function isUtf8Address({ type, address }: { type: string; address: string }, session: VerbSession) {
  const { smtpUtf8 } = transactionOf(session.state).params;
  return smtpUtf8 && type.toLowerCase() === "utf-8" && /^[^\p{Cc}+= ]+$/u.test(address);
}
