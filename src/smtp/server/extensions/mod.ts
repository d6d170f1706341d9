import type { Extension } from "../extension.ts";
import { auth } from "./auth.ts";
import { binaryMime } from "./binary_mime.ts";
import { chunking } from "./chunking.ts";
import { deliverBy } from "./deliver_by.ts";
import { dsn } from "./dsn.ts";
import { eightBitMime } from "./eight_bit_mime.ts";
import { enhancedStatusCodes } from "./enhanced_status_codes.ts";
import { etrn } from "./etrn.ts";
import { expn } from "./expn.ts";
import { futureRelease } from "./future_release.ts";
import { help } from "./help.ts";
import { limits } from "./limits.ts";
import { mtPriority } from "./mt_priority.ts";
import { pipelining } from "./pipelining.ts";
import { requireTls } from "./require_tls.ts";
import { size } from "./size.ts";
import { smtpUtf8 } from "./smtp_utf8.ts";
import { startTls } from "./start_tls.ts";
import { vrfy } from "./vrfy.ts";
import { xclient, xforward } from "./xclient.ts";

/** Every extension the server knows, in the order of the EHLO reply. */
export const EXTENSIONS: readonly Extension[] = [
  pipelining,
  size,
  eightBitMime,
  smtpUtf8,
  enhancedStatusCodes,
  startTls,
  auth,
  dsn,
  chunking,
  binaryMime,
  deliverBy,
  futureRelease,
  mtPriority,
  requireTls,
  limits,
  etrn,
  expn,
  vrfy,
  help,
  xclient,
  xforward,
];
