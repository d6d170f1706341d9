import type { Buffer } from "node:buffer";

/** The part of mailparser that tests use. */
export function simpleParser(source: Buffer): Promise<{
  readonly attachments: readonly {
    readonly contentType: string;
    readonly filename?: string;
    readonly content: Buffer;
  }[];
}>;
