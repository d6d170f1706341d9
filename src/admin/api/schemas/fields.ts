import { z } from "zod";
import { isQueueId } from "../../../base/ids.ts";

/** A queue id; letters of either case. */
export function queueId() {
  return z.string().transform((text) => text.toUpperCase()).pipe(
    z.string().refine(isQueueId, { error: "expected a queue id of 16 letters and digits" }),
  ).meta({ description: "Queue id.", example: "01JZ3V9KQ8M2XW4T" });
}

/** A point in time, in milliseconds since the Unix epoch. */
export function timeMs() {
  return z.int().min(0).meta({ description: "Milliseconds since the Unix epoch." });
}

/** A whole number in a query. */
export function numberText({ min = 0, max = Number.MAX_SAFE_INTEGER } = {}) {
  return z.coerce.number<string>().int().min(min).max(max);
}

/** A switch in a query. */
export function switchText() {
  return z.enum(["true", "false"]).transform((text) => text === "true");
}

/** A key of a query that may stand there several times. */
export function listText<Element extends z.ZodType<unknown, string>>(element: Element) {
  return z.union([
    z.string().transform((text) => [text]),
    z.array(z.string()),
  ]).pipe(z.array(element).min(1).max(1000));
}

/** How many items of a list to answer with, and where to go on. */
export const pageQuery = {
  limit: numberText({ min: 1, max: 1000 }).default(50)
    .meta({ description: "Most items to return." }),
  cursor: z.string().regex(/^[\w.=-]{1,200}$/).optional()
    .meta({ description: "The `cursor` of the previous page." }),
};

/** Text that stands in one line: no control characters. */
export function lineText({ max }: { max: number }) {
  // deno-lint-ignore no-control-regex
  return z.string().max(max).regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, {
    error: "expected one line without control characters",
  });
}

/** A recipient domain as the queue knows it. */
export function domainName() {
  return lineText({ max: 255 }).min(1).transform((text) => text.toLowerCase());
}

/** A mailbox, of which only the form is looked at. */
export function mailbox() {
  return lineText({ max: 320 }).regex(/^[^\s<>]+@[^\s<>@]+$/, {
    error: "expected a mail address such as user@example.net",
  });
}

/** The answer to a change that has nothing else to tell. */
export const doneSchema = z.object({ done: z.literal(true) }).meta({ id: "Done" });
