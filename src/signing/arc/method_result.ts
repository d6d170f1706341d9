/** One result of an authentication method (RFC 8601 section 2.2). */
export interface MethodResult {
  /** `dkim`, `spf`, `iprev`, `auth`, `arc` … */
  readonly method: string;
  readonly result: string;
  /** A few words; empty for none. */
  readonly reason: string;
  /** `header.d`, `smtp.mailfrom` … with their values. */
  readonly properties: readonly (readonly [name: string, value: string])[];
}

/** A result as it stands in a header field, in ASCII. */
export function formatMethodResult({ method, result, reason, properties }: MethodResult): string {
  return [
    `${method}=${result}`,
    ...(reason === "" ? [] : [`reason=${quoted(reason)}`]),
    ...properties.map(([name, value]) => `${name}=${propertyValue(value)}`),
  ].join(" ");
}

/** A token (RFC 2045 section 5.1) or a mailbox stands as it is; anything else is quoted. */
function propertyValue(value: string): string {
  const isShort = value.length <= LONGEST_VALUE_CHARS; // a policy of the DNS may be anything
  return isShort && PLAIN_VALUE.test(value) ? value : quoted(value);
}

const PLAIN_VALUE = /^[A-Za-z0-9!#$%&'*+.^_`{|}~-]*@?[A-Za-z0-9!#$%&'*+.^_`{|}~-]+$/;
const LONGEST_VALUE_CHARS = 256;

function quoted(value: string): string {
  const text = value.slice(0, LONGEST_VALUE_CHARS).replace(/[^ -~]/g, "?");
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
