/**
 * What every transport to an HTTP API must do, whatever the API: `contract` runs it against a
 * recording server on loopback.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { concatBytes, encodeText } from "../../src/base/bytes.ts";
import { formatReply } from "../../src/mail/reply.ts";
import type { DeliveryReport, Outcome, Transport } from "../../src/delivery/transport.ts";
import type { AnswerTable } from "../../src/relay/http/outcome.ts";
import type { ProviderOptions } from "../../src/relay/http/provider.ts";
import { RELAY_CATALOGUE, type RelayType } from "../../src/relay/mod.ts";
import { ManualClock } from "../support/manual_clock.ts";
import {
  type HttpRecorder,
  type RecordedRequest,
  type Script,
  startHttpRecorder,
} from "../support/http_recorder.ts";
import { fetch } from "../support/own_fetch.ts";
import {
  INVITATION,
  type JobFacts,
  jobOf,
  LATIN1,
  PLAIN,
  RAW_MESSAGES,
  REPORT,
  RICH,
  SIGNED,
} from "./messages.ts";

/** An answer of the API and what it must come to. */
export interface AnswerRow {
  readonly what: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or a text as it is. */
  readonly body?: unknown;
  /** One for all recipients, or one for each of `ENVELOPE`. */
  readonly expect: Expected | readonly Expected[];
}

/** What is checked of an outcome. */
export type Expected =
  | Outcome["kind"]
  | {
    readonly kind: Outcome["kind"];
    readonly enhanced?: string;
    readonly counts?: false;
    readonly retryAfterMs?: number;
  };

/** One API. */
export interface ProviderCase {
  readonly name: string;
  /** Where its kind has several. */
  readonly format?: string;
  create(baseUrl: string, options: ProviderOptions): Transport;
  /** Answers requests that come before a message, such as one for a token; null for the others. */
  prelude?(request: RecordedRequest): Script | null;
  /** The answer that takes everything the request asks for. */
  accept(request: RecordedRequest): Script;
  /** Whom the API would send the message of the request to. */
  deliverySet(request: RecordedRequest): readonly string[];
  /** Checks method, target, credentials and whatever else is the same in every request. */
  checkRequest(request: RecordedRequest): void | Promise<void>;
  /** The octets of the message that the request carries, where the API takes them raw. */
  rawOctets?(request: RecordedRequest): Uint8Array;
  /** What the API calls the message that `accept` takes, where reports of it come later. */
  readonly remoteId?: string;
  /** The queue id that the request carries for those reports. */
  queueId?(request: RecordedRequest): unknown;
  /** Whether octets that are no UTF-8 can be carried. */
  readonly anyOctets?: boolean;
  /** Whether the message is taken apart. */
  readonly converts?: boolean;
  /** Whether local parts beyond ASCII can be carried. */
  readonly international?: boolean;
  /** The answer to a request with a recipient who is no mailbox, where it does not say who. */
  readonly refuseSomebody?: Script;
  /** Whether the status alone proves that a message was taken. */
  readonly statusProves?: boolean;
  readonly maxRecipients: number;
  /** Absent where only the other side knows. */
  readonly maxBytes?: number;
  /** What the transport makes of answers; each of its rows has one in `rows`. */
  readonly answers: AnswerTable;
  readonly rows: readonly AnswerRow[];
}

/** The recipients of the messages in the tests: To, Cc, and two that no field names. */
export const ENVELOPE = [
  "ann@one.example",
  "bob@two.example",
  "carol@one.example",
  "blind@four.example",
];

/** When the tests take place. */
export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** What holds for every API that uses the status codes of HTTP as they are meant. */
const COMMON_ROWS: readonly AnswerRow[] = [
  { what: "too fast", status: 429, expect: { kind: "temporary", counts: false } },
  {
    what: "too fast, with a wait in seconds",
    status: 429,
    headers: { "retry-after": "17" },
    expect: { kind: "temporary", counts: false, retryAfterMs: 17_000 },
  },
  {
    what: "too fast, with a date to wait for",
    status: 429,
    headers: { "retry-after": "Fri, 02 Jan 2026 03:05:05 GMT" },
    expect: { kind: "temporary", counts: false, retryAfterMs: 60_000 },
  },
  ...[500, 502, 503, 504, 599].map((status): AnswerRow => ({
    what: "the server failed",
    status,
    body: "<html>Bad gateway</html>",
    expect: { kind: "temporary", counts: false },
  })),
  {
    what: "the server failed, with a wait",
    status: 503,
    headers: { "retry-after": "120" },
    expect: { kind: "temporary", counts: false, retryAfterMs: 120_000 },
  },
  { what: "a wrong key", status: 401, expect: "broken" },
  { what: "a suspended account", status: 403, expect: "broken" },
  { what: "a wrong address", status: 404, expect: "broken" },
  { what: "a wrong method", status: 405, expect: "broken" },
  { what: "an unpaid bill", status: 402, expect: "broken" },
  { what: "another place", status: 302, headers: { location: "/elsewhere" }, expect: "broken" },
  { what: "too large", status: 413, expect: { kind: "unsuitable", enhanced: "5.3.4" } },
  { what: "a timeout of the server", status: 408, expect: "temporary" },
  { what: "a status nobody knows", status: 418, expect: "temporary" },
];

/** Runs the contract for one API. */
export function contract(api: ProviderCase): void {
  const test = (what: string, fn: () => Promise<void>): void =>
    Deno.test(`relay ${api.name}: ${what}`, fn);

  test("the message goes to the envelope and to nobody else", () => checkDeliverySets(api));
  // Nothing but its config says whether a webhook is given messages taken apart.
  if (api.name !== "webhook (parsed)") {
    test("what is lost can be told before", () => checkForeseen(api));
  }
  test("the request is the API's", async () => {
    const { requests, report } = await attempt(api, PLAIN, { recipients: ENVELOPE });
    for (const request of requests) {
      assertEquals(request.method, "POST");
      assertEquals(request.headers.get("content-length"), String(request.body.length));
      assertEquals(request.headers.get("transfer-encoding"), undefined);
      await api.checkRequest(request);
    }
    assertEquals(report.outcomes.map(({ kind }) => kind), ENVELOPE.map(() => "delivered"));
    assertEquals(report.remote?.host, "127.0.0.1");
    assertEquals(report.tls, null);
  });
  const { remoteId, queueId } = api;
  if (remoteId !== undefined && queueId !== undefined) {
    test("later reports can be told whose they are", async () => {
      const { requests, report } = await attempt(api, PLAIN, { recipients: ENVELOPE });
      for (const request of requests) {
        assertEquals(queueId(request), jobOf(PLAIN, { recipients: ENVELOPE }).message.id);
      }
      for (const outcome of report.outcomes) {
        assertEquals(outcome.kind === "delivered" ? outcome.remoteId : null, remoteId);
      }
    });
  }
  const { refuseSomebody } = api;
  if (refuseSomebody !== undefined) {
    test("nobody bounces for the address of another", () => checkDivision(api, refuseSomebody));
  }
  if (api.rawOctets !== undefined) test("the octets stay as they are", () => checkOctets(api));
  if (api.converts === true) test("what would be lost is told before", () => checkLosses(api));
  test("what is left of a rate is told, in each way that APIs tell it", () => checkRates(api));
  test("what does not fit is left to another transport", () => checkLimits(api));
  test("every answer has its meaning", () => checkAnswers(api));
  test("no 429 and no 5xx bounces mail, whatever it says", () => checkNeverFinal(api));
  test("every row of its table is among them", () => checkTable(api));
  test("answers that are cut, slow or nonsense", () => checkBrokenAnswers(api));
  test("a way that leads nowhere is the transport's trouble", async () => {
    const url = await unusedAddress();
    await using transport = api.create(url, options(new ManualClock(NOW_MS)));
    const job = jobOf(PLAIN, { recipients: ENVELOPE });
    const { outcomes } = await transport.deliver(job, { signal: NEVER });
    assertEquals(outcomes.map(({ kind }) => kind), ENVELOPE.map(() => "broken"));
  });
  test("nothing is sent once the caller gave up", async () => {
    const { requests, report } = await attempt(api, PLAIN, { recipients: ENVELOPE }, {
      signal: AbortSignal.abort(),
    });
    assertEquals(requests.length, 0);
    expect(report.outcomes, { kind: "temporary", counts: false }, "aborted");
  });
}

/** A signal that never aborts. */
export const NEVER = new AbortController().signal;

/** One attempt against a server that takes everything. */
export async function attempt(
  api: ProviderCase,
  message: string | Uint8Array,
  facts: JobFacts,
  deliverOptions: { signal?: AbortSignal; rawOnly?: boolean } = {},
): Promise<{ requests: readonly RecordedRequest[]; report: DeliveryReport }> {
  await using server = startHttpRecorder((request) =>
    api.prelude?.(request) ?? api.accept(request)
  );
  await using transport = api.create(server.url, options(new ManualClock(NOW_MS)));
  const report = await transport.deliver(jobOf(message, facts), {
    signal: NEVER,
    ...deliverOptions,
  });
  return { requests: sendsOf(api, server), report };
}

/** One attempt against a server that follows a script. */
export async function attemptWith(
  api: ProviderCase,
  respond: (request: RecordedRequest) => Script,
  {
    message = PLAIN,
    facts = { recipients: ENVELOPE },
    before,
    clock = new ManualClock(NOW_MS),
    onRequest,
    onAnswer,
  }: {
    message?: string;
    facts?: JobFacts;
    before?: (seen: number) => Script | null;
    clock?: ManualClock;
    /** Called once a request has come. */
    onRequest?: () => void;
    /** Called once the head of an answer has come. */
    onAnswer?: () => void;
  } = {},
): Promise<readonly Outcome[]> {
  await using server = startHttpRecorder(
    (request) => api.prelude?.(request) ?? respond(request),
    before === undefined ? {} : { before },
  );
  await using transport = api.create(server.url, {
    ...options(clock),
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (sendsOf(api, server).length > 0) onAnswer?.();
      return response;
    },
  });
  const delivering = transport.deliver(jobOf(message, facts), { signal: NEVER });
  if (onRequest !== undefined) {
    await server.waitForRequests(api.prelude === undefined ? 1 : 2);
    onRequest();
  }
  return (await delivering).outcomes;
}

/** The requests that carried a message. */
function sendsOf(api: ProviderCase, { requests }: HttpRecorder): readonly RecordedRequest[] {
  return requests.filter((request) => (api.prelude?.(request) ?? null) === null);
}

async function checkDeliverySets(api: ProviderCase): Promise<void> {
  const envelopes = [
    ENVELOPE,
    ["ann@one.example"], // of three that the fields name
    ["blind@four.example"], // whom no field names
    ["elsewhere@five.example", "blind@four.example"], // a redirected message
    ["hidden@three.example", "ann@one.example"], // one of two in Bcc
    ["ANN@One.example", '"odd, name"@six.example'],
  ];
  for (const recipients of envelopes) {
    const { requests, report } = await attempt(api, PLAIN, { recipients });
    const reached = requests.flatMap(api.deliverySet).map((address) => address.toLowerCase());
    assertEquals(reached.sort(), recipients.map((path) => path.toLowerCase()).sort());
    assertEquals(report.outcomes.map(({ kind }) => kind), recipients.map(() => "delivered"));
  }
}

/** A refusal that names nobody: each of the others gets the message, and gets it once. */
async function checkDivision(api: ProviderCase, refusal: Script): Promise<void> {
  const recipients = Array.from({ length: 20 }, (_, index) => `user${index}@one.example`);
  for (const bad of [["user0@one.example"], ["user3@one.example", "user17@one.example"]]) {
    const taken: string[] = [];
    await using server = startHttpRecorder((request) => {
      const first = api.prelude?.(request) ?? null;
      if (first !== null) return first;
      const reached = api.deliverySet(request);
      if (reached.some((address) => bad.includes(address))) return refusal;
      taken.push(...reached);
      return api.accept(request);
    });
    await using transport = api.create(server.url, options(new ManualClock(NOW_MS)));
    const message = `From: a@b.example\r\nTo: ${recipients.join(",\r\n ")}\r\n\r\nText\r\n`;
    const { outcomes } = await transport.deliver(jobOf(message, { recipients }), { signal: NEVER });
    const good = recipients.filter((address) => !bad.includes(address));
    assertEquals(taken.sort(), good.sort());
    outcomes.forEach(({ kind }, index) => {
      const isBad = bad.includes(recipients[index] ?? "");
      assertEquals(kind === "delivered", !isBad, recipients[index]);
    });
    assert(sendsOf(api, server).length < 25, `${sendsOf(api, server).length} requests`);
  }
}

async function checkOctets(api: ProviderCase): Promise<void> {
  const messages: (readonly [string, string | Uint8Array])[] = [...RAW_MESSAGES];
  if (api.anyOctets === true) messages.push(["latin-1", LATIN1]);
  for (const [name, message] of messages) {
    for (const pieceBytes of [undefined, 1, 7, 1000]) {
      const facts = { recipients: ENVELOPE, ...(pieceBytes === undefined ? {} : { pieceBytes }) };
      const { requests, report } = await attempt(api, message, facts, { rawOnly: true });
      assertEquals(report.outcomes[0]?.kind, "delivered", name);
      const [request] = requests;
      assert(request !== undefined && api.rawOctets !== undefined);
      const sent = typeof message === "string" ? new TextEncoder().encode(message) : message;
      assertEquals(new Uint8Array(api.rawOctets(request)), new Uint8Array(sent), name);
      assertEquals(report.losses, undefined);
    }
  }
  if (api.anyOctets === true) return;
  const { requests: [request], report } = await attempt(api, LATIN1, { recipients: ENVELOPE });
  expect(report.outcomes, "delivered", "octets that are no UTF-8");
  assertEquals(report.losses, undefined);
  assert(request !== undefined && api.rawOctets !== undefined);
  const text = new TextDecoder().decode(api.rawOctets(request));
  assertStringIncludes(text, "Content-Transfer-Encoding: base64\r\n");
  assertStringIncludes(text, "Content-Type: text/plain; charset=iso-8859-1\r\n");
  assertStringIncludes(text, "\r\n\r\nR3L832UNCg==");
  const signed = concatBytes([encodeText("DKIM-Signature: v=1\r\n"), LATIN1]);
  const kept = await attempt(api, signed, { recipients: ENVELOPE }, { rawOnly: true });
  assertEquals(kept.requests.length, 0);
  expect(kept.report.outcomes, { kind: "unsuitable", enhanced: "5.6.2" }, "signed Latin-1");
}

/** What is foreseen of a message is what happens to it. */
async function checkForeseen(api: ProviderCase): Promise<void> {
  const { foresee } = RELAY_CATALOGUE[api.name.split(" ")[0] as RelayType];
  for (const message of [...RAW_MESSAGES.map(([, text]) => text), LATIN1]) {
    for (const facts of [{}, { sizeBytes: 200_000_000 }]) {
      const all = { recipients: ENVELOPE, ...facts };
      const foreseen = await foresee(jobOf(message, all), api.format);
      if (foreseen.kind === "unsuitable") {
        const { requests, report } = await attempt(api, message, all);
        assertEquals(requests.length, 0);
        assertEquals(report.outcomes, ENVELOPE.map(() => foreseen));
        continue;
      }
      if ("sizeBytes" in facts) continue; // only the other side knows, and the size is a lie
      const { report } = await attempt(api, message, all);
      assertEquals(report.losses ?? [], foreseen.losses);
    }
  }
}

async function checkLosses(api: ProviderCase): Promise<void> {
  const losing = [["signature", SIGNED], ["alternative", INVITATION], [
    "structure",
    REPORT,
  ]] as const;
  for (const [kind, message] of losing) {
    const sent = await attempt(api, message, { recipients: ENVELOPE });
    expect(sent.report.outcomes, "delivered", kind);
    assert(sent.report.losses?.some((loss) => loss.kind === kind), kind);
    const kept = await attempt(api, message, { recipients: ENVELOPE }, { rawOnly: true });
    assertEquals(kept.requests.length, 0);
    assertEquals(kept.report.losses, sent.report.losses);
    expect(kept.report.outcomes, { kind: "unsuitable", enhanced: "5.6.2" }, kind);
  }
  const binary = await attempt(api, RICH, { recipients: ENVELOPE, lineOriented: false });
  expect(binary.report.outcomes, "delivered", "BINARYMIME");
}

async function checkRates(api: ProviderCase): Promise<void> {
  for (const prefix of ["ratelimit-", "x-ratelimit-", "x-sib-ratelimit-"]) {
    await using server = startHttpRecorder((request) => {
      const script = api.prelude?.(request) ?? api.accept(request);
      if (script.kind !== "answer") return script;
      const rate = { [`${prefix}remaining`]: "3", [`${prefix}reset`]: "20" };
      return { ...script, headers: { ...script.headers, ...rate } };
    });
    await using transport = api.create(server.url, options(new ManualClock(NOW_MS)));
    const job = jobOf(PLAIN, { recipients: ENVELOPE });
    const { rate } = await transport.deliver(job, { signal: NEVER });
    assertEquals(rate, { remaining: 3, resetAfterMs: 20_000 }, prefix);
  }
}

async function checkLimits(api: ProviderCase): Promise<void> {
  if (api.maxBytes !== undefined) {
    const facts = { recipients: ENVELOPE, sizeBytes: api.maxBytes + 1 };
    const { requests, report } = await attempt(api, PLAIN, facts);
    assertEquals(requests.length, 0);
    expect(report.outcomes, { kind: "unsuitable", enhanced: "5.3.4" }, "too large");
  }
  const international = await attempt(api, PLAIN, {
    recipients: ["jörg@one.example"],
    smtpUtf8: true,
  });
  const expected: Expected = api.international === true
    ? "delivered"
    : { kind: "unsuitable", enhanced: "5.6.7" };
  expect(international.report.outcomes, expected, "SMTPUTF8");
  assertEquals(international.requests.length, api.international === true ? 1 : 0);
  const facts = { recipients: ENVELOPE, smtpUtf8: true };
  const message = "From: Jörg <jorg@client.example>\r\nSubject: Grüße\r\n\r\nx\r\n";
  const inWords = await attempt(api, message, facts);
  expect(inWords.report.outcomes, "delivered", "words outside ASCII, and SMTPUTF8");
  await using transport = api.create("http://127.0.0.1:9", options(new ManualClock(NOW_MS)));
  assertEquals(transport.maxRecipients, api.maxRecipients);
  assertEquals(transport.destinationOf("one.example"), transport.destinationOf("two.example"));
}

async function checkAnswers(api: ProviderCase): Promise<void> {
  const own = new Set(api.rows.map(rowKey));
  const rows = [...api.rows, ...COMMON_ROWS.filter((row) => !own.has(rowKey(row)))];
  for (const row of rows) {
    const outcomes = await attemptWith(api, () => answerOf(row));
    const detail = typeof row.body === "string" ? row.body : JSON.stringify(row.body ?? "");
    expect(outcomes, row.expect, `${row.status} ${row.what} ${detail}`);
    for (const { reply } of outcomes) assertMatch(formatReply(reply), /^[245]\d\d [245]\.\d/);
  }
}

async function checkNeverFinal(api: ProviderCase): Promise<void> {
  for (const row of api.rows.filter(({ status }) => status !== 429 && status < 500)) {
    for (const status of [429, 500, 503]) {
      const outcomes = await attemptWith(api, () => answerOf({ ...row, status }));
      for (const { kind } of outcomes) {
        assert(kind !== "permanent" && kind !== "unsuitable", `${status} ${row.what}: ${kind}`);
      }
    }
  }
}

/** A code counts as tried where an answer says it, with the status it needs if it needs one. */
function checkTable({ answers, rows }: ProviderCase): Promise<void> {
  const said = rows.map(({ status, headers, body }) => ({
    status,
    text: JSON.stringify([headers, body]),
  }));
  const missing = Object.keys(answers.codes).filter((key) => {
    const [, status, code = ""] = /^(?:(\d{3}) )?(.+)$/.exec(key) ?? [];
    const pattern = new RegExp(`(?<![\\w.-])${code.replace(/[.]/g, "\\.")}(?![\\w.-])`);
    return !said.some((row) =>
      pattern.test(row.text) && (status === undefined || row.status === Number(status))
    );
  });
  const statuses = new Set([...rows, ...COMMON_ROWS].map(({ status }) => status));
  missing.push(
    ...Object.keys(answers.statuses).filter((status) => {
      return Number(status) >= 300 && !statuses.has(Number(status)); // every test sees a success
    }),
  );
  assertEquals(missing, []);
  return Promise.resolve();
}

/** A row of the API's own with neither headers nor body stands in for the common one. */
function rowKey({ status, headers, body }: AnswerRow): string {
  return `${status} ${JSON.stringify(headers ?? {})} ${
    typeof body === "string" ? body : JSON.stringify(body ?? "")
  }`;
}

async function checkBrokenAnswers(api: ProviderCase): Promise<void> {
  const proven = api.statusProves === true ? "delivered" : "uncertain";
  const take = (request: RecordedRequest): number => {
    const script = api.accept(request);
    return script.kind === "answer" ? script.status : 0;
  };
  const scripts: readonly [string, (request: RecordedRequest) => Script, Expected][] = [
    ["closed before the answer", () => ({ kind: "close" }), "uncertain"],
    ["nonsense for an answer", () => ({ kind: "garbage", text: "220 mx ESMTP\r\n" }), "uncertain"],
    ["half a status line", () => ({ kind: "garbage", text: "HTTP/1.1 2" }), "uncertain"],
    ["a cut answer", (request) => ({ kind: "cut", status: take(request), body: '{"id' }), proven],
    [
      "no JSON",
      (request) => ({ kind: "answer", status: take(request), body: "<p>Log in</p>" }),
      proven,
    ],
    ["nothing", (request) => ({ kind: "answer", status: take(request) }), proven],
    ["a cut error", () => ({ kind: "cut", status: 401, body: "{" }), "broken"],
  ];
  for (const [what, respond, expected] of scripts) {
    expect(await attemptWith(api, respond), expected, what);
  }
  const silent = new ManualClock(NOW_MS);
  const silence = await attemptWith(api, () => ({ kind: "silence" }), {
    clock: silent,
    onRequest: () => void silent.advance(TIMEOUT_MS + 1),
  });
  expect(silence, "uncertain", "no answer in time");
  const stalled = new ManualClock(NOW_MS);
  const stall = await attemptWith(
    api,
    (request) => ({ kind: "stall", status: take(request), body: '{"id' }),
    { clock: stalled, onAnswer: () => void stalled.advance(TIMEOUT_MS + 1) },
  );
  expect(stall, proven, "an answer that stops");
}

const TIMEOUT_MS = 60_000;

function options(clock: ManualClock): ProviderOptions {
  return { name: "out", fetch, clock, timeoutMs: TIMEOUT_MS };
}

function answerOf({ status, headers, body }: AnswerRow): Script {
  const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
  return { kind: "answer", status, ...(headers === undefined ? {} : { headers }), body: text };
}

/** Checks outcomes against one expectation for all, or one for each. */
export function expect(
  outcomes: readonly Outcome[],
  expected: Expected | readonly Expected[],
  what: string,
): void {
  outcomes.forEach((outcome, index) => {
    const one = isList(expected) ? expected[index] : expected;
    assert(one !== undefined, what);
    const { kind, enhanced, ...rest } = typeof one === "string"
      ? { kind: one, enhanced: undefined }
      : { enhanced: undefined, ...one };
    assertEquals(outcome.kind, kind, `${what}: ${formatReply(outcome.reply)}`);
    if (enhanced !== undefined) assertEquals(outcome.reply.enhanced, enhanced, what);
    for (const [key, value] of Object.entries(rest)) {
      assertEquals(Object.entries(outcome).find(([name]) => name === key)?.[1], value, what);
    }
  });
}

function isList(expected: Expected | readonly Expected[]): expected is readonly Expected[] {
  return Array.isArray(expected);
}

/** Where nobody listens. */
async function unusedAddress(): Promise<string> {
  const server = startHttpRecorder(() => ({ kind: "close" }));
  const { url } = server;
  await server[Symbol.asyncDispose]();
  return url;
}
