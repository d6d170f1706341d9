import { assert, assertEquals } from "@std/assert";
import { decodeText } from "../../src/base/bytes.ts";
import { createRelay, RELAY_CATALOGUE, type RelayType } from "../../src/relay/mod.ts";
import { startHttpRecorder } from "../support/http_recorder.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { fetch } from "../support/own_fetch.ts";
import { FIELDS_APIS, type ToldFields, type ToldFile } from "./apis.ts";
import { CASES, octetsInWords, type Told } from "./cases.ts";
import { jobOf } from "./messages.ts";
import { answer, jsonOf } from "./requests.ts";

const RECIPIENTS = ["bob@dest.example"];

/** What an API got of a message, and what the relay noted as lost. */
interface Sent {
  readonly name: string;
  /** Whether the message has a Message-ID. */
  readonly hasId: boolean;
  readonly told: ToldFields;
  /** The whole request. */
  readonly request: string;
  readonly losses: readonly string[];
}

/** Sends messages by one API. */
async function* sendAll(
  type: RelayType,
  messages: readonly (readonly [name: string, message: Uint8Array])[],
): AsyncGenerator<Sent> {
  const api = FIELDS_APIS[type];
  assert(api !== undefined);
  await using server = startHttpRecorder(() => answer(...api.answer));
  const created = createRelay({ type, table: { ...api.table, base_url: server.url } }, {
    ...{ name: type, fetch, clock: new ManualClock(0) },
  });
  assert(created.kind === "created");
  await using transport = created.transport;
  for (const [index, [name, message]] of messages.entries()) {
    const job = jobOf(message, { recipients: RECIPIENTS });
    const report = await transport.deliver(job, { signal: new AbortController().signal });
    assertEquals(report.outcomes.map(({ kind }) => kind), ["delivered"], `${type}: ${name}`);
    const request = server.requests[index];
    assert(request !== undefined);
    // The recipients of the envelope are others than those of the header, in all of these.
    const losses = report.losses?.filter(({ kind }) => kind !== "recipient_fields") ?? [];
    yield {
      ...{ name, told: api.told(jsonOf(request)), request: decodeText(request.body) },
      hasId: /^message-id:/im.test(decodeText(message)),
      losses: losses.map(({ kind, what }) => `${kind} ${what}`),
    };
  }
}

/** Asks whether an API got what a message says, and no loss is missing or made up. */
function assertTold(
  { told, request, losses, name, hasId }: Sent,
  { type, expected }: { type: RelayType; expected: Told },
): void {
  const about = `${type}: ${name}`;
  for (const key of ["text", "html", "subject", "author", "replyTo"] as const) {
    if (expected[key] === undefined) continue;
    // No API takes a message without text: one blank stands for none.
    const isBlank = key === "text" && expected.html === null && expected.text === null;
    assertEquals(told[key], isBlank ? " " : expected[key], `${about}: ${key}`);
  }
  if (expected.files !== undefined) {
    const wanted = expected.files.map((file) => told.files.some(hasType) ? file : untyped(file));
    assertEquals(told.files.map(inWords).sort(), wanted.sort(), `${about}: files`);
  }
  if (expected.ids !== undefined && told.files.every(({ id }) => id !== undefined)) {
    const ids = told.files.map(({ id }) => String(id)).sort();
    assertEquals(ids, expected.ids.map(String).sort(), `${about}: content-ids`);
  }
  if (expected.losses !== undefined) {
    const wanted = lossesBy(type, { expected, told, hasId });
    assertEquals([...losses].sort(), wanted.sort(), `${about}: losses`);
  }
  assert(!request.includes("hidden@"), `${about}: a Bcc`);
}

/**
 * What is lost by this API: one carries charsets of files, some have no place for pictures in a
 * text, some make a Message-ID of their own.
 */
function lossesBy(
  type: RelayType,
  { expected: { losses = [], ids = [] }, told, hasId }: {
    expected: Told;
    told: ToldFields;
    hasId: boolean;
  },
): string[] {
  const { showsInline, keepsTypeParameters, keepsMessageId } = RELAY_CATALOGUE[type].limits ?? {};
  const isMissed = showsInline === false && ids.some((id) => id !== null);
  const carried = losses.filter((loss) => {
    const [, charset, file] = /^charset (\S+) of (\S+)$/.exec(loss) ?? [];
    if (!keepsTypeParameters || charset === undefined) return false;
    const type = told.files.find(({ name }) => name === file)?.type ?? "";
    return type.toLowerCase().includes(`charset=${charset}`);
  });
  return [
    ...losses.filter((loss) => !carried.includes(loss)),
    ...isMissed ? ["structure inline images"] : [],
    ...hasId && keepsMessageId === false ? ["fields Message-ID"] : [],
  ];
}

function hasType({ type }: ToldFile): boolean {
  return type !== undefined;
}

function inWords({ name, type, content }: ToldFile): string {
  const text = octetsInWords(content);
  return type === undefined ? `${name}: ${text}` : `${name}, ${type.split(";")[0]}: ${text}`;
}

/** The same file where the API has no key for its type. */
function untyped(file: string): string {
  return file.replace(/, [^,:]*: /, ": ");
}

Deno.test("every API that wants fields is among those that are read", () => {
  const types = Object.entries(RELAY_CATALOGUE)
    .filter(([, { fidelity }]) => fidelity === "converted").map(([type]) => type);
  assertEquals(Object.keys(FIELDS_APIS).sort(), types.sort());
});

for (const type of Object.keys(FIELDS_APIS) as RelayType[]) {
  Deno.test(`${type} gets what every odd message says`, async () => {
    const messages = await Promise.all(
      Object.keys(CASES).map(async (name) => {
        const url = new URL(`../corpus/mime/${name}.eml`, import.meta.url);
        return [name, await Deno.readFile(url)] as const;
      }),
    );
    for await (const sent of sendAll(type, messages)) {
      assertTold(sent, { type, expected: CASES[sent.name] ?? {} });
    }
  });
}

/** What messages that others keep, named by their files, are to tell; what is not named is free. */
const KEPT: Readonly<Record<string, Told>> = {
  "01_no_boundary": {
    ...{ text: "The invoice is due on Friday.\n", files: [] },
    losses: ["structure multipart/mixed"],
  },
  "04_content_type_text": { text: "The invoice is due on Friday.\n", files: [] },
  "06_content_type_bad_subtype": { text: "The invoice is due on Friday.\n", files: [] },
  "07_flowed_quote": {
    text: "On 30.11.26 10:00, Ada wrote:\n> Hello Bob, this is a paragraph that was long enough " +
      "to be wrapped by the program that wrote it, and goes on here.\n>\n>> older words, wrapped " +
      "as well\n\nFine with me.\n",
  },
  "09_ics_base64": {
    files: [
      "invite.ics, application/ics: BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n" +
      "END:VCALENDAR\r\n",
    ],
  },
  "11_inline_named_text": {
    ...{ text: "hi\n", html: null },
    files: [
      "build.log, text/plain: line 1\r\nline 2\r\n",
      "report.html, text/html: <html><body>report</body></html>",
    ],
  },
  "12_cron_charset": { text: "Größe: 5 €\n", losses: [] },
  "13_subject_split_base64": { subject: "GLG - 张一兵", losses: [] },
  "14_qp_padding": { text: "Der Preis beträgt 100 Euro.\n", losses: [] },
  "15_no_from": { author: " <bounces@sender.example>", losses: ["fields From"] },
  "16_latin1_attachment": {
    files: ["liste.txt, text/plain: Gr\xf6\xdfe\r\n"],
    losses: ["charset iso-8859-1 of liste.txt"],
  },
  "18_sender": { losses: ["fields Sender"] },
  "19_latin1_subject": { subject: "Größe", losses: [] },
  "20_bcc_field": { text: "x\n", losses: [] },
};

/** Messages that are kept outside of the project; beside it where nothing else is said. */
const FOLDER = Deno.env.get("POSTHOUSE_CASES") ??
  new URL("../../../shared/cases", import.meta.url).pathname;
const HAS_FOLDER = await Deno.stat(FOLDER).then(() => true, () => false);

Deno.test({
  name: "messages in ../shared/cases, or where POSTHOUSE_CASES names, reach every API as they are",
  ignore: !HAS_FOLDER,
  fn: async () => {
    const messages = await Promise.all(
      Object.keys(KEPT).map(async (name) =>
        [name, await Deno.readFile(`${FOLDER}/${name}.eml`)] as const
      ),
    );
    for (const type of Object.keys(FIELDS_APIS) as RelayType[]) {
      for await (const sent of sendAll(type, messages)) {
        assertTold(sent, { type, expected: KEPT[sent.name] ?? {} });
      }
    }
  },
});
