/** What a Content-Type field says, as far as the structure of a message depends on it. */
export interface MediaType {
  /** `text/plain` in lower case; empty where the field is malformed. */
  readonly name: string;
  /** The boundary of a multipart type; null where it has none or an impossible one. */
  readonly boundary: string | null;
}

/** What holds without a Content-Type field (RFC 2045 section 5.2). */
export const TEXT_PLAIN: MediaType = { name: "text/plain", boundary: null };

const NAME = /^\s*([!#$%&'*+.^_`|~\w-]+\/[!#$%&'*+.^_`|~\w-]+)\s*(?=;|\(|$)/;
const BOUNDARY = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;()"]+))/i;
/** RFC 2046 section 5.1.1. */
const LONGEST_BOUNDARY = 70;

/** Reads the unfolded value of a Content-Type field (RFC 2045 section 5.1). */
export function parseMediaType(value: string): MediaType {
  const name = (NAME.exec(value)?.[1] ?? "").toLowerCase();
  const found = name.startsWith("multipart/") ? BOUNDARY.exec(value) : null;
  const boundary = found?.[1]?.replace(/\\(.)/g, "$1") ?? found?.[2] ?? "";
  const isPossible = boundary !== "" && boundary.length <= LONGEST_BOUNDARY &&
    /^[ -~]*[!-~]$/.test(boundary);
  return { name, boundary: isPossible ? boundary : null };
}
