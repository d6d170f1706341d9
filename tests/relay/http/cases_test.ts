import { assert, assertEquals } from "@std/assert";
import { concatBytes } from "../../../src/base/bytes.ts";
import {
  type ConversionLimits,
  type ConvertedMessage,
  convertJob,
} from "../../../src/relay/http/conversion.ts";
import { CASES, octetsInWords, type Told } from "../cases.ts";
import { jobOf } from "../messages.ts";

const LIMITS: ConversionLimits = {
  ...{ api: "An API", maxBytes: 1_000_000, refusedFields: /^$/, keepsMessageId: true },
  ...{ showsInline: true, keepsTypeParameters: false, maxReplyTo: Infinity, maxTags: Infinity },
};

for (const [name, expected] of Object.entries(CASES)) {
  Deno.test(`mime case: ${name.replaceAll("_", " ")}`, async () => {
    const message = await Deno.readFile(new URL(`../../corpus/mime/${name}.eml`, import.meta.url));
    for (const pieceBytes of [undefined, 1, 50]) {
      const facts = {
        recipients: ["bob@dest.example"],
        ...(pieceBytes === undefined ? {} : { pieceBytes }),
      };
      const converted = await convertJob(jobOf(message, facts), LIMITS);
      assert(converted.kind === "converted", name);
      const told = await toldBy(converted);
      const asked = Object.keys(expected).map((key) => [key, told[key as keyof Told]]);
      assertEquals(Object.fromEntries(asked), expected);
    }
  });
}

Deno.test("mime case: every message of the corpus is among them", async () => {
  const files = [];
  for await (const { name } of Deno.readDir(new URL("../../corpus/mime/", import.meta.url))) {
    files.push(name.replace(".eml", ""));
  }
  assertEquals(files.sort(), Object.keys(CASES).sort());
});

async function toldBy(converted: ConvertedMessage): Promise<Required<Told>> {
  const { text, html, subject, author, replyTo, attachments, losses } = converted;
  const files = await Promise.all(
    attachments.map(async ({ filename, type, content }) =>
      `${filename}, ${type}: ${octetsInWords(concatBytes(await Array.fromAsync(content.stream())))}`
    ),
  );
  return {
    ...{ text, html, subject, files, author: `${author.name} <${author.address}>` },
    replyTo: replyTo.map(({ name, address }) => `${name} <${address}>`).join(", "),
    ids: attachments.map(({ contentId }) => contentId),
    losses: losses.map(({ kind, what }) => `${kind} ${what}`),
  };
}
