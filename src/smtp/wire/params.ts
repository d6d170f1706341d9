/** An esmtp-param of RFC 5321 4.1.2. */
export interface EsmtpParam {
  /** In upper case. */
  readonly keyword: string;
  /** Null where there is no `=`. */
  readonly value: string | null;
}

/** What follows the path of MAIL or RCPT. */
export type ParsedParams =
  | { readonly kind: "ok"; readonly params: readonly EsmtpParam[] }
  | { readonly kind: "error"; readonly reason: string };

const NO_PARAMS: ParsedParams = { kind: "ok", params: [] };

/** Reads the parameters in `text`, each with a space before it. */
export function parseParams(text: string): ParsedParams {
  if (text === "") return NO_PARAMS;
  if (!text.startsWith(" ")) return failure("Unexpected text after the path");
  const params: EsmtpParam[] = [];
  const seen = new Set<string>();
  for (const word of text.split(" ")) {
    if (word === "") continue;
    const param = parseParam(word);
    if (param === null) return failure("Malformed parameter");
    // RFC 5321 4.1.1.11 has no meaning for a keyword given twice.
    if (seen.has(param.keyword)) return failure(`Parameter ${param.keyword} given twice`);
    seen.add(param.keyword);
    params.push(param);
  }
  return { kind: "ok", params };
}

function parseParam(word: string): EsmtpParam | null {
  const equals = word.indexOf("=");
  const keyword = equals < 0 ? word : word.slice(0, equals);
  if (!/^[a-z\d][a-z\d-]*$/i.test(keyword)) return null;
  if (equals < 0) return { keyword: keyword.toUpperCase(), value: null };
  const value = word.slice(equals + 1);
  // esmtp-value: printable but for "=" and space; RFC 6531 section 3.4 adds UTF-8
  if (value === "" || value.includes("=")) return null;
  return { keyword: keyword.toUpperCase(), value };
}

function failure(reason: string): ParsedParams {
  return { kind: "error", reason };
}
