import { formatSize } from "../../../../observe/quantities.ts";
import { readHeaderFields } from "../../../content/header_fields.ts";
import { messagePage, messageText } from "../../../content/message_page.ts";
import type { ContentPart, ContentResult } from "../../../content/read.ts";
import { Empty } from "../../parts/boxes.tsx";
import { Icon } from "../../parts/icon.tsx";
import { count, counted } from "../../parts/quantity.ts";
import type { Visit } from "../../visit.tsx";

/** What of a message is shown. */
export const CONTENT_VIEWS = {
  text: "Text",
  html: "HTML",
  headers: "Headers",
  source: "Source",
} as const;
export type ContentView = keyof typeof CONTENT_VIEWS;

const TEXT_LIMIT_CHARS = 200_000;
const SOURCE_LIMIT_BYTES = 256 * 1024;

/** The message itself. */
export async function ContentPanel(
  { visit, id, view, hasBody }: { visit: Visit; id: string; view: ContentView; hasBody: boolean },
) {
  return (
    <section class="panel" id="content-panel" aria-labelledby="content-title">
      <header class="panel-head">
        <h2 id="content-title">Content</h2>
        {hasBody && (
          <nav class="tabs" aria-label="Views">
            {Object.entries(CONTENT_VIEWS).map(([key, name]) => (
              <a
                class="tab"
                href={`/messages/${id}${key === "text" ? "" : `?show=${key}`}#content-panel`}
                aria-current={key === view ? "page" : undefined}
              >
                {name}
              </a>
            ))}
            <a class="tab" href={`/api/v1/messages/${id}/raw`} download>Download</a>
          </nav>
        )}
      </header>
      {hasBody
        ? await contentOf(visit, { id, view })
        : (
          <Empty icon="file" title="The content was removed" tight>
            <p>
              The content is kept until the last recipient is done. The timeline remains.
            </p>
          </Empty>
        )}
    </section>
  );
}

async function contentOf(visit: Visit, { id, view }: { id: string; view: ContentView }) {
  if (view === "headers") return await headersOf(visit, id);
  if (view === "source") return await sourceOf(visit, id);
  const result = await visit.contents.read(id);
  if (result.kind !== "ok") return <Unreadable result={result} />;
  const { parts } = result.content;
  return (
    <div class="panel-body stack">
      {view === "html" ? await HtmlFrame({ id, result }) : <PlainText result={result} />}
      {parts.length > 0 && <Attachments id={id} parts={parts} />}
    </div>
  );
}

type ReadContent = Extract<ContentResult, { kind: "ok" }>;

function PlainText({ result }: { result: ReadContent }) {
  const { text, source } = messageText(result.content);
  if (text.trim() === "") return <p class="soft">The message has no text.</p>;
  const isCut = text.length > TEXT_LIMIT_CHARS;
  return (
    <>
      {source === "html" && (
        <p class="faint small">Converted from HTML; the message has no text part.</p>
      )}
      <pre class="letter">{isCut ? text.slice(0, TEXT_LIMIT_CHARS) : text}</pre>
      {isCut && <p class="soft">Only the start is shown; download the message for the rest.</p>}
    </>
  );
}

async function HtmlFrame({ id, result }: { id: string; result: ReadContent }) {
  const hasHtml = result.content.rich.some(({ kind }) => kind === "html");
  const page = hasHtml ? await messagePage(result.content) : null;
  if (page === null) return <p class="soft">The message has no HTML.</p>;
  return (
    <>
      <p class="frame-note">
        <Icon name="lock" size={14} />
        Scripts, forms and links are disabled
        {page.blocked > 0 &&
          `, and ${counted(page.blocked, "remote resource")} ` +
            `${page.blocked === 1 ? "was" : "were"} blocked`}.
      </p>
      <iframe
        class="letter-frame"
        title="The message as HTML"
        src={`/api/v1/messages/${id}/html`}
        sandbox=""
        referrerpolicy="no-referrer"
      />
    </>
  );
}

function Attachments({ id, parts }: { id: string; parts: readonly ContentPart[] }) {
  return (
    <div>
      <h3 class="sub-title">{counted(parts.length, "attachment")}</h3>
      <ul class="attachments">
        {parts.map(({ index, filename, mediaType, sizeBytes }) => (
          <li>
            <a
              class="attachment"
              href={`/api/v1/messages/${id}/attachments/${index}`}
              download={filename}
            >
              <Icon name="file" />
              <span class="cut" title={filename}>{filename}</span>
              <span class="faint small nowrap">{mediaType}, {formatSize(sizeBytes)}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Unreadable({ result }: { result: Exclude<ContentResult, { kind: "ok" }> }) {
  switch (result.kind) {
    case "gone":
      return <Empty icon="file" title="The content is no longer available" tight />;
    case "malformed":
      return (
        <Empty icon="warning" title="Cannot parse the message" tight>
          <p>{result.reason}</p>
          <p>View its source, or download it.</p>
        </Empty>
      );
  }
}

async function headersOf({ ports }: Visit, id: string) {
  const body = await ports.queue.body(id);
  if (body === null) return <Unreadable result={{ kind: "gone" }} />;
  const { fields, complete } = await readHeaderFields(body);
  return (
    <div class="panel-body">
      <dl class="facts headers">
        {fields.map(({ name, value }) => (
          <>
            <dt>{name}</dt>
            <dd class="mono">{value}</dd>
          </>
        ))}
      </dl>
      {!complete && <p class="soft">The header section is too long to show completely.</p>}
    </div>
  );
}

async function sourceOf({ ports }: Visit, id: string) {
  const body = await ports.queue.body(id);
  if (body === null) return <Unreadable result={{ kind: "gone" }} />;
  const { text, isCut } = await readStart(body);
  return (
    <div class="panel-body">
      <pre class="source" tabindex={0} aria-label="Source of the message">{text}</pre>
      {isCut && (
        <p class="soft small">
          The first {count(SOURCE_LIMIT_BYTES / 1024)} KiB are shown; download it for the rest.
        </p>
      )}
    </div>
  );
}

/** The beginning of a message as text; octets that are not UTF-8 show as what they are not. */
async function readStart(
  body: AsyncIterable<Uint8Array>,
): Promise<{ text: string; isCut: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let leftBytes = SOURCE_LIMIT_BYTES;
  for await (const chunk of body) {
    text += decoder.decode(chunk.subarray(0, leftBytes), { stream: true });
    leftBytes -= chunk.length;
    if (leftBytes <= 0) return { text, isCut: true };
  }
  return { text: text + decoder.decode(), isCut: false };
}
