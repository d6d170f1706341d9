import { z } from "zod";
import { table } from "../fields.ts";
import { parseDuration, parseSize } from "../units.ts";

/** So many within so long. */
export interface RateConfig {
  readonly limit: number;
  readonly perMs: number;
}

/** What is limited in time; a kind that is missing is not. */
export interface RatesConfig {
  readonly connections?: RateConfig;
  readonly commands?: RateConfig;
  readonly errors?: RateConfig;
  readonly messages?: RateConfig;
  readonly recipients?: RateConfig;
  readonly bytes?: RateConfig;
}

/** A count in a time: `100/m`, `5/10s`, `1000/1h30m`. */
function rate(description: string) {
  const error = `a number and a time such as "100/m" or "5/10s"`;
  return rateText(error, parseCount).describe(description);
}

/** A size in a time: `100MiB/h`. */
function sizeRate(description: string) {
  return rateText(`a size and a time such as "100MiB/h"`, parseSize).describe(description);
}

function rateText(error: string, parseAmount: (text: string) => number | null) {
  return z.string({ error })
    .refine((value) => parseRate(value, parseAmount) !== null, { error }).optional();
}

/** The keys of a table of rates; `whose` says who is counted. */
export function ratesSchema(whose: string) {
  return table({
    connections: rate("New connections."),
    commands: rate("Commands."),
    errors: rate("Commands and messages that are refused."),
    messages: rate("Messages begun with MAIL."),
    recipients: rate("Recipients named with RCPT."),
    bytes: sizeRate("Octets of accepted messages."),
  }).prefault({}).describe(`What ${whose} may do in a time; without a rate as much as it likes.`);
}

export function ratesConfig(doc: z.output<ReturnType<typeof ratesSchema>>): RatesConfig {
  const rates = Object.entries(doc).flatMap(([kind, text]) => {
    if (text === undefined) return [];
    return [[kind, parseRate(text, kind === "bytes" ? parseSize : parseCount)]];
  });
  return Object.fromEntries(rates);
}

function parseRate(
  text: string,
  parseAmount: (text: string) => number | null,
): RateConfig | null {
  const [amount = "", time = "", ...more] = text.split("/");
  const limit = parseAmount(amount);
  const perMs = parseDuration(/^[a-z]+$/.test(time) ? `1${time}` : time);
  if (limit === null || limit < 1 || perMs === null || perMs < 1000 || more.length > 0) return null;
  return { limit, perMs };
}

function parseCount(text: string): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}
