import type { Extension } from "../extension.ts";
import { auth } from "./auth.ts";
import { binaryMime } from "./binary_mime.ts";
import { chunking } from "./chunking.ts";
import { eightBitMime } from "./eight_bit_mime.ts";
import { enhancedStatusCodes } from "./enhanced_status_codes.ts";
import { pipelining } from "./pipelining.ts";
import { size } from "./size.ts";
import { startTls } from "./start_tls.ts";

/** Every extension the server knows, in the order of the EHLO reply. */
export const EXTENSIONS: readonly Extension[] = [
  pipelining,
  size,
  eightBitMime,
  enhancedStatusCodes,
  chunking,
  binaryMime,
  startTls,
  auth,
];
