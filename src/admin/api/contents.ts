import { type Context, Hono } from "hono";
import { readHeaderFields } from "../content/header_fields.ts";
import { contentDisposition } from "../content/file_name.ts";
import { messagePage, messageText } from "../content/message_page.ts";
import type { ContentResult } from "../content/read.ts";
import type { AdminEnv } from "../env.ts";
import { DOWNLOAD_POLICY, MESSAGE_POLICY } from "../guard/security_headers.ts";
import { answer } from "../http/answer.ts";
import { param } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import { streamOf } from "../http/stream.ts";
import type { ApiContext } from "./context.ts";
import { messagePath } from "./messages.ts";
import { numberText } from "./schemas/fields.ts";
import { attachmentsSchema, headersSchema, textSchema } from "./schemas/messages.ts";

/** Characters of text that are answered with. */
const TEXT_LIMIT_CHARS = 1_000_000;

const tag = "Messages";
const role = "viewer";

/** What is in a message: header section, text, HTML, attachments and the octets themselves. */
export function contentRoutes({ ports: { queue }, contents }: ApiContext) {
  const whyMissing = async (id: string) => await queue.get(id) === null ? "not-found" : "gone";
  return new Hono<AdminEnv>()
    .get(
      "/messages/:id/headers",
      operation({
        ...{ tag, role, id: "getHeaders", summary: "Show the header section of a message" },
        answer: headersSchema,
      }),
      param(messagePath),
      async (c) => {
        const { id } = c.req.valid("param");
        const body = await queue.body(id);
        if (body === null) return problem(c, await whyMissing(id));
        return answer(c, headersSchema, await readHeaderFields(body));
      },
    )
    .get(
      "/messages/:id/text",
      operation({
        ...{ tag, role, id: "getText", summary: "Show the text of a message" },
        answer: textSchema,
      }),
      param(messagePath),
      async (c) => {
        const result = await contents.read(c.req.valid("param").id);
        if (result.kind !== "ok") return contentProblem(c, result);
        const { text, source } = messageText(result.content);
        const truncated = text.length > TEXT_LIMIT_CHARS;
        return answer(c, textSchema, {
          text: truncated ? text.slice(0, TEXT_LIMIT_CHARS) : text,
          ...{ truncated, source },
        });
      },
    )
    .get(
      "/messages/:id/html",
      operation({
        ...{ tag, role, id: "getHtml", summary: "Show a message as a safe page" },
        description: "The page runs no scripts and loads nothing; use it in a sandboxed frame. " +
          "Posthouse-Blocked contains the number of blocked elements.",
        answer: ["text/html"],
      }),
      param(messagePath),
      async (c) => {
        const result = await contents.read(c.req.valid("param").id);
        if (result.kind !== "ok") return contentProblem(c, result);
        const page = await messagePage(result.content);
        if (page === null) return problem(c, "not-found", { detail: "The message has no text." });
        return c.body(page.html, 200, {
          "content-type": "text/html; charset=utf-8",
          "content-security-policy": MESSAGE_POLICY,
          "x-frame-options": "SAMEORIGIN",
          "posthouse-blocked": String(page.blocked),
        });
      },
    )
    .get(
      "/messages/:id/attachments",
      operation({
        ...{ tag, role, id: "listAttachments", summary: "List the attachments of a message" },
        answer: attachmentsSchema,
      }),
      param(messagePath),
      async (c) => {
        const result = await contents.read(c.req.valid("param").id);
        if (result.kind !== "ok") return contentProblem(c, result);
        const items = result.content.parts
          .map(({ stream: _, ...part }) => part);
        return answer(c, attachmentsSchema, { items });
      },
    )
    .get(
      "/messages/:id/attachments/:index",
      operation({
        ...{ tag, role, id: "downloadAttachment", summary: "Download an attachment" },
        answer: ["application/octet-stream"],
      }),
      param(messagePath.extend({ index: numberText({ max: 100_000 }) })),
      async (c) => {
        const { id, index } = c.req.valid("param");
        const result = await contents.read(id);
        if (result.kind !== "ok") return contentProblem(c, result);
        const part = result.content.parts[index];
        if (part === undefined) return problem(c, "not-found");
        return c.body(streamOf(part.stream()), 200, {
          ...downloadFields(part.filename, part.mediaType),
          "content-length": String(part.sizeBytes),
        });
      },
    )
    .get(
      "/messages/:id/raw",
      operation({
        ...{ tag, role, id: "downloadMessage", summary: "Download a message unchanged" },
        answer: ["message/rfc822"],
      }),
      param(messagePath),
      async (c) => {
        const { id } = c.req.valid("param");
        const body = await queue.body(id);
        if (body === null) return problem(c, await whyMissing(id));
        return c.body(streamOf(body), 200, downloadFields(`${id}.eml`, "message/rfc822"));
      },
    );
}

function contentProblem(c: Context, result: Exclude<ContentResult, { kind: "ok" }>) {
  switch (result.kind) {
    case "unknown":
      return problem(c, "not-found");
    case "gone":
      return problem(c, "gone");
    case "malformed":
      return problem(c, "refused", {
        detail: `The message cannot be parsed (${result.reason}); download it instead.`,
      });
  }
}

/** What senders made is never shown as a page of ours, whatever type they gave it. */
function downloadFields(name: string, mediaType: string): Record<string, string> {
  const isActive = /html|xml|svg|script|pdf/.test(mediaType);
  return {
    "content-type": isActive ? "application/octet-stream" : mediaType,
    "content-disposition": contentDisposition(name),
    "content-security-policy": DOWNLOAD_POLICY,
  };
}
