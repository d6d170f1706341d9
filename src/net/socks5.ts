import { concatBytes, encodeText } from "../base/bytes.ts";
import { parseIp } from "../base/ip.ts";
import type { Conn } from "./conn.ts";
import type { DialFailure, FailedDial } from "./dial.ts";
import type { ProxyAnswer, ProxyCredentials, ProxyTarget } from "./proxy.ts";
import { readFully } from "./read_fully.ts";

// RFC 1928
const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USERNAME_PASSWORD = 2;
const CONNECT = 1;
const SUCCEEDED = 0;
const ADDRESS_TYPE = { ipv4: 1, name: 3, ipv6: 4 } as const;
const MAX_FIELD_BYTES = 255;

/** Asks a SOCKS version 5 proxy for a connection (RFC 1928). */
export async function connectOverSocks(
  conn: Conn,
  { target, credentials }: { target: ProxyTarget; credentials: ProxyCredentials | null },
): Promise<ProxyAnswer> {
  const request = connectRequest(target);
  if (request === null) return failed(`it cannot be asked for the name "${target.host}"`);
  const refusal = await authenticate(conn, credentials);
  if (refusal !== null) return refusal;
  await conn.write(request);
  const [version, reply = -1, , addressType] = await readFully(conn, 4);
  if (version !== VERSION) return failed("it does not speak SOCKS 5");
  if (reply !== SUCCEEDED) return replyFailure(reply);
  const addressBytes = await boundAddressBytes(conn, addressType);
  if (addressBytes === null) return failed("its answer has an unknown type of address");
  await readFully(conn, addressBytes + 2);
  return { kind: "connected", ahead: new Uint8Array(0) };
}

/** Section 3. Null when the proxy lets us go on. */
async function authenticate(
  conn: Conn,
  credentials: ProxyCredentials | null,
): Promise<FailedDial | null> {
  const offered = credentials === null ? NO_AUTHENTICATION : USERNAME_PASSWORD;
  await conn.write(Uint8Array.of(VERSION, 1, offered));
  const [version, chosen] = await readFully(conn, 2);
  if (version !== VERSION) return failed("it does not speak SOCKS 5");
  if (chosen !== offered) return failed("it wants another way of authentication");
  return credentials === null ? null : await sendPassword(conn, credentials);
}

/** RFC 1929 section 2. */
async function sendPassword(
  conn: Conn,
  { username, password }: ProxyCredentials,
): Promise<FailedDial | null> {
  const fields = [encodeText(username), encodeText(password)];
  if (fields.some(({ length }) => length === 0 || length > MAX_FIELD_BYTES)) {
    return failed("name and password must have 1 to 255 octets");
  }
  await conn.write(concatBytes([
    Uint8Array.of(1),
    ...fields.flatMap((field) => [Uint8Array.of(field.length), field]),
  ]));
  const [, status] = await readFully(conn, 2);
  return status === 0 ? null : failed("it does not accept the name and password");
}

/** Section 4. */
function connectRequest({ host, port }: ProxyTarget): Uint8Array | null {
  const octets = parseIp(host);
  const name = encodeText(host);
  if (octets === null && (name.length === 0 || name.length > MAX_FIELD_BYTES)) return null;
  const type = octets === null
    ? ADDRESS_TYPE.name
    : octets.length === 4
    ? ADDRESS_TYPE.ipv4
    : ADDRESS_TYPE.ipv6;
  return concatBytes([
    Uint8Array.of(VERSION, CONNECT, 0, type),
    octets ?? Uint8Array.of(name.length, ...name),
    Uint8Array.of(port >> 8, port & 0xff),
  ]);
}

/** Section 6: the address that the proxy connects from, of no use here. */
async function boundAddressBytes(conn: Conn, type: number | undefined): Promise<number | null> {
  if (type === ADDRESS_TYPE.ipv4) return 4;
  if (type === ADDRESS_TYPE.ipv6) return 16;
  if (type !== ADDRESS_TYPE.name) return null;
  const [lengthBytes = 0] = await readFully(conn, 1);
  return lengthBytes;
}

/** Section 6: what the reply field says about the target; the rest is about the proxy. */
const FAILURE_OF_REPLY: Readonly<Record<number, DialFailure>> = {
  1: "other", // "general failure", which many say of a target that they cannot reach
  2: "denied",
  3: "unreachable",
  4: "unreachable",
  5: "refused",
  6: "timeout",
  8: "unreachable", // it does not speak this kind of address
};

const REPLY_TEXT: Readonly<Record<number, string>> = {
  1: "general failure",
  2: "not allowed by its rules",
  3: "network unreachable",
  4: "host unreachable",
  5: "connection refused",
  6: "no answer in time",
  8: "no such kind of address",
};

function replyFailure(reply: number): FailedDial {
  const kind = FAILURE_OF_REPLY[reply];
  if (kind === undefined) return failed(`it refuses with code ${reply}`);
  return { kind, reason: `the proxy answered ${REPLY_TEXT[reply] ?? "no"} (code ${reply})` };
}

function failed(reason: string): FailedDial {
  return { kind: "proxy", reason: `The proxy failed: ${reason}` };
}
