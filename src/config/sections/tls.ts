import type { z } from "zod";
import { listOf, oneOf, table, text } from "../fields.ts";

/** How listeners answer TLS handshakes. */
export interface TlsConfig {
  /** Paths of PEM files; the first pair is shown to clients that ask for no name. */
  readonly certificates: readonly {
    /** The certificate, then its intermediates. */
    readonly certificateFile: string;
    readonly keyFile: string;
  }[];
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** Path of the roots for client certificates; null for none. */
  readonly clientCaFile: string | null;
}

const filePath = () =>
  text({ expected: "the path of a PEM file", isValid: (value) => value !== "" });

const certificate = table({
  certificate: filePath().describe("PEM file of a certificate, followed by its intermediates."),
  key: filePath().describe("PEM file of its key."),
});

/** The `[tls]` table. */
export const tlsSchema = table({
  certificates: listOf(certificate).default([])
    .describe("Certificates; a client gets the first one for the name it asks for (SNI)."),
  min_version: oneOf(["1.2", "1.3"]).default("1.2").describe("Oldest accepted TLS version."),
  client_ca: filePath().optional()
    .describe("PEM file of the authorities trusted to sign client certificates."),
}).prefault({}).describe("TLS of listeners; changed files are read again.");

export function tlsConfig(doc: z.output<typeof tlsSchema>): TlsConfig {
  return {
    certificates: doc.certificates.map(({ certificate, key }) => ({
      certificateFile: certificate,
      keyFile: key,
    })),
    minVersion: doc.min_version === "1.3" ? "TLSv1.3" : "TLSv1.2",
    clientCaFile: doc.client_ca ?? null,
  };
}
