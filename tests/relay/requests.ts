/** Reading of recorded requests as the APIs read them. */
import { assert } from "@std/assert";
import type { RecordedRequest, Script } from "../support/http_recorder.ts";

/** The request's body as JSON; the test knows its shape. */
// deno-lint-ignore no-explicit-any
export function jsonOf(request: RecordedRequest): any {
  return JSON.parse(
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(request.body),
  );
}

/** The octets of base64 text. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.fromBase64(text);
}

/** The octets of a JSON string. */
export function octetsOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** An answer in JSON. */
export function answer(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Script {
  return { kind: "answer", status, headers, body: JSON.stringify(body) };
}

/** One part of multipart/form-data. */
export interface FormPart {
  readonly name: string;
  readonly filename: string | null;
  readonly contentType: string | null;
  readonly octets: Uint8Array;
}

/** Reads multipart/form-data without the runtime's parser, which would change text parts. */
export function formPartsOf(request: RecordedRequest): FormPart[] {
  const boundary = /boundary=(\S+)/.exec(request.headers.get("content-type") ?? "")?.[1];
  assert(boundary !== undefined);
  // One character for each octet, so that offsets in the text are offsets in the octets.
  const text = Array.from(request.body, (octet) => String.fromCharCode(octet)).join("");
  const pieces = text.split(`--${boundary}`);
  assert(pieces[0] === "" && pieces[pieces.length - 1] === "--\r\n");
  return pieces.slice(1, -1).map((piece) => {
    const split = piece.indexOf("\r\n\r\n");
    const head = piece.slice(0, split);
    const body = piece.slice(split + 4, -2);
    return {
      name: / name="([^"]*)"/.exec(head)?.[1] ?? "",
      filename: / filename="([^"]*)"/.exec(head)?.[1] ?? null,
      contentType: /Content-Type: (.*)/.exec(head)?.[1] ?? null,
      octets: Uint8Array.from(body, (char) => char.charCodeAt(0)),
    };
  });
}
