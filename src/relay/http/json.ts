import { joinedBody, type RequestBody, textBody } from "./body.ts";

/** A value of a request in JSON; keys that are undefined are left out. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonStream
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/**
 * A string in a JSON text whose characters are streamed. `inside` is what stands between the
 * quotes, escaped already.
 */
export class JsonStream {
  readonly inside: RequestBody;

  constructor(inside: RequestBody) {
    this.inside = inside;
  }
}

/** The JSON text of `value` (RFC 8259) as the body of a request. */
export function jsonBody(value: JsonValue): RequestBody {
  const parts: RequestBody[] = [];
  let text = "";
  for (const token of tokensOf(value)) {
    if (typeof token === "string") {
      text += token;
      continue;
    }
    parts.push(textBody(text), token);
    text = "";
  }
  parts.push(textBody(text));
  return joinedBody(parts);
}

function* tokensOf(value: JsonValue): Generator<string | RequestBody> {
  if (value instanceof JsonStream) {
    yield '"';
    yield value.inside;
    yield '"';
  } else if (isList(value)) {
    yield* listTokens(value);
  } else if (typeof value === "object" && value !== null) {
    yield* tableTokens(value);
  } else {
    yield JSON.stringify(value);
  }
}

function* listTokens(list: readonly JsonValue[]): Generator<string | RequestBody> {
  yield "[";
  for (const [index, element] of list.entries()) {
    if (index > 0) yield ",";
    yield* tokensOf(element);
  }
  yield "]";
}

function* tableTokens(
  table: { readonly [key: string]: JsonValue | undefined },
): Generator<string | RequestBody> {
  let separator = "{";
  for (const [key, element] of Object.entries(table)) {
    if (element === undefined) continue;
    yield `${separator}${JSON.stringify(key)}:`;
    yield* tokensOf(element);
    separator = ",";
  }
  yield separator === "{" ? "{}" : "}";
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
