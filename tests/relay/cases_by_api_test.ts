import { assert, assertEquals } from "@std/assert";
import { decodeText } from "../../src/base/bytes.ts";
import type { DeliveryReport } from "../../src/delivery/transport.ts";
import { createRelay, RELAY_CATALOGUE, type RelayType } from "../../src/relay/mod.ts";
import { startHttpRecorder } from "../support/http_recorder.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { fetch } from "../support/own_fetch.ts";
import { FIELDS_APIS, type ToldFields } from "./apis.ts";
import { CASES, type Told } from "./cases.ts";
import { jobOf } from "./messages.ts";
import { answer, jsonOf } from "./requests.ts";

const RECIPIENTS = ["bob@dest.example"];

/** Sends messages by one API and gives what it was told, and the report. */
async function* sendAll(
  type: RelayType,
  messages: readonly (readonly [name: string, message: Uint8Array])[],
): AsyncGenerator<{ name: string; told: ToldFields; report: DeliveryReport }> {
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
    yield { name, told: api.told(jsonOf(request)), report };
  }
}

/** What an API was told, in the words of a case; types only where the API has a key for them. */
function inWords(
  { files, ...told }: ToldFields,
  expected: Told,
): Record<string, unknown> {
  const words = files.map(({ name, type, content }, index) => {
    const known = type ?? /, (.*?):/.exec(expected.files?.[index] ?? "")?.[1] ?? "";
    return `${name}, ${known}: ${decodeText(content)}`;
  });
  return { ...told, files: words.sort() };
}

Deno.test("every API that wants fields is among those that are read", () => {
  const types = Object.entries(RELAY_CATALOGUE)
    .filter(([, { fidelity }]) => fidelity === "converted").map(([type]) => type);
  assertEquals(Object.keys(FIELDS_APIS).sort(), types.sort());
});

for (const type of Object.keys(FIELDS_APIS) as RelayType[]) {
  Deno.test(`${type} is told of every odd message what it says`, async () => {
    const messages = await Promise.all(
      Object.keys(CASES).map(async (name) => {
        const url = new URL(`../corpus/mime/${name}.eml`, import.meta.url);
        return [name, await Deno.readFile(url)] as const;
      }),
    );
    for await (const { name, told, report } of sendAll(type, messages)) {
      const expected = CASES[name] ?? {};
      const words = inWords(told, expected);
      for (const key of ["text", "html", "subject", "author"] as const) {
        if (expected[key] === undefined) continue;
        // No API takes a message without text: one blank stands for none.
        const wanted = key === "text" && expected.html === null && expected.text === null
          ? " "
          : expected[key];
        assertEquals(words[key], wanted, `${type}: ${key} of ${name}`);
      }
      if (expected.files !== undefined) {
        assertEquals(words["files"], [...expected.files].sort(), `${type}: ${name}`);
      }
      for (const loss of expected.losses ?? []) {
        if (loss.startsWith("charset ") && type === "postmark") continue; // it carries them
        const losses = report.losses?.map(({ kind, what }) => `${kind} ${what}`) ?? [];
        assert(losses.includes(loss), `${type}: ${name} loses ${loss}: ${losses}`);
      }
    }
  });
}

/** What messages that others keep, named by their files, are to tell; what is not named is free. */
const KEPT: Readonly<Record<string, Told>> = {
  "01_no_boundary": { text: "The invoice is due on Friday.\n", files: [] },
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
  "12_cron_charset": { text: "Größe: 5 €\n" },
  "13_subject_split_base64": { subject: "GLG - 张一兵" },
  "14_qp_padding": { text: "Der Preis beträgt 100 Euro.\n" },
  "15_no_from": { author: " <bounces@sender.example>", losses: ["fields From"] },
  "16_latin1_attachment": { losses: ["charset iso-8859-1 of liste.txt"] },
  "18_sender": { losses: ["fields Sender"] },
  "19_latin1_subject": { subject: "Größe" },
  "20_bcc_field": { text: "x\n" },
};

/** Messages that are kept outside of the project; beside it where nothing else is said. */
const FOLDER = Deno.env.get("POSTHOUSE_CASES") ??
  new URL("../../../shared/cases", import.meta.url).pathname;
const HAS_FOLDER = await Deno.stat(FOLDER).then(() => true, () => false);

Deno.test({
  name: "messages in ../shared/cases, or where POSTHOUSE_CASES names, tell every API what they say",
  ignore: !HAS_FOLDER,
  fn: async () => {
    const messages = await Promise.all(
      Object.keys(KEPT).map(async (name) =>
        [name, await Deno.readFile(`${FOLDER}/${name}.eml`)] as const
      ),
    );
    for (const type of Object.keys(FIELDS_APIS) as RelayType[]) {
      for await (const { name, told, report } of sendAll(type, messages)) {
        const { losses = [], files, ...wanted } = KEPT[name] ?? {};
        const words = inWords(told, KEPT[name] ?? {});
        for (const [key, value] of Object.entries(wanted)) {
          assertEquals(words[key], value, `${type}: ${key} of ${name}`);
        }
        if (files !== undefined) assertEquals(words["files"], [...files].sort(), name);
        const noted = report.losses?.map(({ kind, what }) => `${kind} ${what}`) ?? [];
        for (const loss of losses) {
          if (loss.startsWith("charset ") && type === "postmark") continue;
          assert(noted.includes(loss), `${type}: ${name} loses ${loss}`);
        }
        assert(!JSON.stringify(told).includes("hidden@"), `${type}: ${name} tells a Bcc`);
      }
    }
  },
});
