/**
 * An enhanced mail system status code: class, subject and detail of RFC 3463
 * and its registry, as text (`5.1.1`).
 */
export type EnhancedCode = `${2 | 4 | 5}.${number}.${number}`;

/**
 * Reads a status code such as `4.7.1` (RFC 3463 section 2: class 2, 4 or 5, subject
 * and detail of one to three digits). Returns null for anything else.
 */
export function parseEnhancedCode(text: string): EnhancedCode | null {
  return /^[245]\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.test(text) ? text as EnhancedCode : null;
}
