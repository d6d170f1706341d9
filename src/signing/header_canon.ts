import { Buffer } from "node:buffer";
import type { HeaderField } from "../mail/headers.ts";
import type { CanonForm } from "./body_hash.ts";

/** A header section and the octets it was read from. */
export interface MessageHeader {
  readonly bytes: Uint8Array;
  readonly fields: readonly HeaderField[];
}

/**
 * A header field in its canonical form (RFC 6376 sections 3.4.1 and 3.4.2), without a line break at
 * its end, one character for each octet.
 */
export function canonicalField(bytes: Uint8Array, field: HeaderField, form: CanonForm): string {
  if (form === "simple") return latin1(bytes.subarray(field.start, field.valueEnd));
  return relaxed(field.name, fieldValue(bytes, field));
}

/** The "relaxed" form of a name and a value as text. */
export function relaxed(name: string, value: string): string {
  const unfolded = value.includes("\n") ? value.replace(/\r?\n(?=[ \t])/g, "") : value;
  return `${name.toLowerCase().trimEnd()}:${
    unfolded.replace(/[ \t]+/g, " ").replace(/^ | $/g, "")
  }`;
}

/** The value of a field as it stands, one character for each octet. */
export function fieldValue(
  bytes: Uint8Array,
  { valueStart, valueEnd }: HeaderField,
): string {
  return latin1(bytes.subarray(valueStart, valueEnd));
}

/** One character for each octet, which the decoder of that name does not give. */
function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
