import { Buffer } from "node:buffer";
import type { HeaderField } from "../mail/headers.ts";

/**
 * A header field in its "relaxed" form (RFC 6376 section 3.4.2), without a line break at its end,
 * one character for each octet.
 */
export function relaxedField(bytes: Uint8Array, field: HeaderField): string {
  const value = latin1(bytes.subarray(field.valueStart, field.valueEnd));
  return relaxed(field.name, value);
}

/** The same of a name and a value as text. */
export function relaxed(name: string, value: string): string {
  const unfolded = value.replace(/\r?\n(?=[ \t])/g, "");
  return `${name.toLowerCase().trimEnd()}:${
    unfolded.replace(/[ \t]+/g, " ").replace(/^ | $/g, "")
  }`;
}

/** One character for each octet, which the decoder of that name does not give. */
function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
