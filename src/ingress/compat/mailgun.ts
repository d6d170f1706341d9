import { type Context, Hono } from "hono";
import type { Draft, DraftAttachment } from "../../mail/compose/draft.ts";
import type { CompatCaller, CompatDesk, Letter } from "./desk.ts";
import { readForm } from "./form.ts";
import {
  readContentId,
  readMailbox,
  readMailboxes,
  readRawEnvelope,
  readTime,
  RequestError,
} from "./reading.ts";
import {
  basicPasswordOf,
  boundedBody,
  type CompatEnv,
  originOf,
  TOO_LARGE,
  unknownRequest,
} from "./request.ts";

/** Options that change what becomes of a message, and that are not known here. */
const UNKNOWN_OPTIONS = ["template", "o:testmode", "recipient-variables", "o:require-tls"];
/** Ways to say that an option is off. */
const OFF = /^(?:no|false)$/i;

/**
 * Requests as Mailgun's API v3 has them. Source: documentation.mailgun.com, "Send an email" and
 * "Send an email in MIME format". The domain in the path is not looked at: the key says as whom it
 * may send.
 */
export function mailgunRoutes(desk: CompatDesk) {
  return new Hono<CompatEnv>()
    .use(boundedBody(desk, (c) => c.json({ message: TOO_LARGE }, 413)))
    .post("/v3/:domain/messages", (c) => serve(c, desk, letterOf))
    .post("/v3/:domain/messages.mime", (c) => serve(c, desk, mimeLetterOf))
    .all("*", (c) => c.json({ message: unknownRequest(c) }, 404));
}

async function serve(
  c: Context<CompatEnv>,
  desk: CompatDesk,
  read: (form: FormData) => Letter | Promise<Letter>,
): Promise<Response> {
  const caller = await desk.admit(basicPasswordOf(c, "api"), originOf(c));
  if (caller === null) return c.text("Forbidden", 401);
  try {
    const form = await formOf(c);
    for (const name of UNKNOWN_OPTIONS) {
      const value = form.get(name);
      if (value !== null && !(typeof value === "string" && OFF.test(value))) {
        throw new RequestError(name, `'${name}' is not supported`);
      }
    }
    return await handIn(c, {
      desk,
      caller,
      letter: withTime(await read(form), { form, nowMs: desk.clock.now() }),
    });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return c.json({ message: error.message }, 400);
  }
}

async function handIn(
  c: Context,
  { desk, caller, letter }: { desk: CompatDesk; caller: CompatCaller; letter: Letter },
): Promise<Response> {
  const handed = await desk.handIn(caller, letter);
  if (handed.kind === "queued") {
    return c.json({ id: `<${handed.id}@${desk.hostname}>`, message: "Queued. Thank you." });
  }
  const status = { message: 400, too_large: 413, later: 500, conflict: 400 } as const;
  return c.json({ message: handed.text }, status[handed.why]);
}

async function formOf(c: Context): Promise<FormData> {
  const contentType = c.req.header("content-type") ?? "";
  if (/^multipart\//i.test(contentType)) {
    return await readForm(contentType, new Uint8Array(await c.req.arrayBuffer()));
  }
  try {
    return await c.req.formData();
  } catch {
    throw new RequestError("", "The body is not a form");
  }
}

async function letterOf(form: FormData): Promise<Letter> {
  const from = readMailbox("from", onlyTextOf(form, "from") ?? "");
  const [to = [], cc = [], bcc = []] = ["to", "cc", "bcc"].map((name) =>
    textsOf(form, name).flatMap((text) => readMailboxes(name, text))
  );
  if (to.length === 0) throw new RequestError("to", "'to' parameter is missing");
  refuseStrayFiles(form);
  const headers = [...form].flatMap(([name, value]): [string, string][] =>
    name.startsWith("h:") && typeof value === "string" ? [[name.slice(2), value]] : []
  );
  const draft: Draft = {
    ...{ from: [from], sender: null, replyTo: [], to, cc, headers },
    subject: onlyTextOf(form, "subject") ?? "",
    text: onlyTextOf(form, "text"),
    html: onlyTextOf(form, "html"),
    alternatives: textsOf(form, "amp-html").map((text) => ({ type: "text/x-amp-html", text })),
    attachments: [...await filesOf(form, "attachment"), ...await filesOf(form, "inline")],
  };
  return {
    ...{ from: from.address, content: draft },
    to: [...to, ...cc, ...bcc].map(({ address }) => address),
  };
}

async function mimeLetterOf(form: FormData): Promise<Letter> {
  const message = form.get("message");
  if (message === null) throw new RequestError("message", "'message' parameter is missing");
  const octets = message instanceof File
    ? new Uint8Array(await message.arrayBuffer())
    : new TextEncoder().encode(message);
  const to = textsOf(form, "to").flatMap((text) => readMailboxes("to", text));
  if (to.length === 0) throw new RequestError("to", "'to' parameter is missing");
  const { from, octets: shown } = readRawEnvelope(octets);
  return { from, to: to.map(({ address }) => address), content: shown };
}

function withTime(
  letter: Letter,
  { form, nowMs }: { form: FormData; nowMs: number },
): Letter {
  const at = form.get("o:deliverytime");
  return typeof at === "string"
    ? { ...letter, holdUntilMs: readTime("o:deliverytime", { text: at, nowMs }) }
    : letter;
}

/** Files; those within the HTML are shown by their names. */
async function filesOf(
  form: FormData,
  name: "attachment" | "inline",
): Promise<DraftAttachment[]> {
  const files = [...form].flatMap(([key, value]) =>
    value instanceof File && key.replace(/\[\d*\]$/, "") === name ? [value] : []
  );
  return await Promise.all(files.map(async (file): Promise<DraftAttachment> => ({
    filename: file.name,
    type: file.type === "" ? "application/octet-stream" : file.type,
    content: new Uint8Array(await file.arrayBuffer()),
    contentId: name === "inline" ? readContentId(file.name) : null,
  })));
}

/** A file that nobody would see again is better refused, and so is one that is no file. */
function refuseStrayFiles(form: FormData): void {
  for (const [name, value] of form) {
    const isPlace = /^(?:attachment|inline)(?:\[\d*\])?$/.test(name);
    if (isPlace && typeof value === "string") {
      throw new RequestError(
        name,
        `'${name}' must be a file; send the form as multipart/form-data`,
      );
    }
    if (!isPlace && typeof value !== "string") {
      throw new RequestError(name, `'${name}' is not a file parameter`);
    }
  }
}

/** The texts of a parameter, as `to`, `to[]` or `to[0]`. */
function textsOf(form: FormData, name: string): string[] {
  return [...form].flatMap(([key, value]) =>
    key.replace(/\[\d*\]$/, "").toLowerCase() === name && typeof value === "string" ? [value] : []
  );
}

/** The text of a parameter that a message has once; null where it has none. */
function onlyTextOf(form: FormData, name: string): string | null {
  const [text = null, ...more] = textsOf(form, name);
  if (more.length === 0) return text;
  throw new RequestError(name, `'${name}' is given ${more.length + 1} times`);
}
