import { Buffer } from "node:buffer";
import { concatBytes, decodeLatin1, encodeText } from "../base/bytes.ts";
import type { Conn } from "./conn.ts";
import type { DialFailure, FailedDial } from "./dial.ts";
import type { ProxyAnswer, ProxyCredentials, ProxyTarget } from "./proxy.ts";

const BUFFER_BYTES = 1024;
const MAX_HEAD_BYTES = 16384;
const MAX_REASON_LENGTH = 80;

/** Asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6). */
export async function connectOverHttp(
  conn: Conn,
  { target, credentials }: { target: ProxyTarget; credentials: ProxyCredentials | null },
): Promise<ProxyAnswer> {
  const request = connectRequest(target, credentials);
  if (request === null) return failed(`it cannot be asked for the name "${target.host}"`);
  await conn.write(encodeText(request));
  let received: Uint8Array = new Uint8Array(0);
  while (received.length <= MAX_HEAD_BYTES) {
    const more = new Uint8Array(BUFFER_BYTES);
    const lengthBytes = await conn.read(more);
    if (lengthBytes === null) return failed("it closed the connection");
    received = concatBytes([received, more.subarray(0, lengthBytes)]);
    const end = Buffer.from(received.buffer).indexOf("\r\n\r\n");
    if (end >= 0) return judge(received, end);
  }
  return failed("its answer is too long");
}

function connectRequest(
  { host, port }: ProxyTarget,
  credentials: ProxyCredentials | null,
): string | null {
  if (!/^[0-9a-z.:_-]+$/i.test(host)) return null; // nothing that could end the line
  const authority = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  if (credentials !== null) lines.push(`Proxy-Authorization: Basic ${basic(credentials)}`);
  return lines.join("\r\n") + "\r\n\r\n";
}

/** RFC 7617 section 2, UTF-8. */
function basic({ username, password }: ProxyCredentials): string {
  return Buffer.from(`${username}:${password}`).toString("base64");
}

/**
 * What a status of RFC 9110 section 15 says about the target; null where it is about the proxy.
 * Proxies say 500, 502 and 503 of a target that they cannot reach, and 400, 403 and 405 of one
 * that their rules do not allow.
 */
function failureOf(status: number): DialFailure | null {
  if (status === 401 || status === 407) return null; // it does not know us
  if (status === 504) return "timeout";
  if (status >= 500) return "unreachable";
  return status >= 400 ? "denied" : null;
}

function judge(received: Uint8Array, headEnd: number): ProxyAnswer {
  const statusLine = decodeLatin1(received.subarray(0, headEnd)).split("\r\n", 1)[0] ?? "";
  const match = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine);
  if (match === null) return failed("it does not speak HTTP/1.1");
  const status = Number(match[1]);
  if (status >= 200 && status < 300) {
    return { kind: "connected", ahead: received.subarray(headEnd + 4) };
  }
  const kind = failureOf(status);
  if (kind === null) return failed(`it refuses with status ${status}`);
  return { kind, reason: `the proxy answered ${printable(statusLine.slice(9))}` };
}

/** What a proxy says may end up in replies. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, MAX_REASON_LENGTH);
}

function failed(reason: string): FailedDial {
  return { kind: "proxy", reason: `The proxy failed: ${reason}` };
}
