/** The transfer encodings of RFC 2045 section 6 that this relay writes. */
export type TransferEncoding = "7bit" | "8bit" | "quoted-printable" | "base64";
