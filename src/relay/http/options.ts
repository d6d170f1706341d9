import { z } from "zod";

/**
 * The kinds of value that the tables of providers hold. The error text of each says what is
 * expected, as everywhere in the config file.
 */

/** A credential: never shown, logged or printed; `writeOnly` in its metadata says so. */
export function secret(expected: string): z.ZodString {
  return z.string({ error: expected }).regex(/^[\x21-\x7e]+$/, { error: expected })
    .meta({ writeOnly: true });
}

/** Text that is not empty. */
export function words(expected: string): z.ZodString {
  return z.string({ error: expected }).min(1, { error: expected });
}

/** One of some words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  options: Words,
): z.ZodEnum<{ [Word in Words[number]]: Word }> {
  const quoted = options.map((word) => JSON.stringify(word)).join(", ");
  return z.enum(options, { error: `one of ${quoted}` });
}

/** A label that stands in a host name or a path: a region, an account, a domain. */
export function label(expected: string): z.ZodString {
  return z.string({ error: expected }).regex(/^[\w.@-]+$/, { error: expected });
}

/** Labels of the provider for its statistics. */
export function tags(): z.ZodOptional<z.ZodArray<z.ZodString>> {
  return z.array(
    z.string({ error: "a tag" }).regex(/^[\x20-\x7e]+$/, { error: "a tag in ASCII" }),
    {
      error: "a list of tags",
    },
  ).optional()
    .describe("Tags for the provider's statistics.");
}

/**
 * The address of the API in place of the provider's own, for a private region or a test. Plain
 * HTTP is used only when it is written out here.
 */
export function baseUrl(): z.ZodOptional<z.ZodString> {
  return url().optional().describe("Address of the API instead of the provider's own.");
}

/** An absolute http or https address without credentials, query or fragment. */
export function url(): z.ZodString {
  const expected = `an address such as "https://api.example.net"`;
  return z.string({ error: expected }).refine(isPlainUrl, { error: expected });
}

/** An API's address from its config, without a slash at the end. */
export function apiUrl(configured: string | undefined, usual: string): URL {
  return new URL((configured ?? usual).replace(/\/+$/, ""));
}

/** `path`, which begins with a slash, below an API's address. */
export function below(base: URL, path: string): string {
  return `${base.origin}${base.pathname.replace(/\/+$/, "")}${path}`;
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return (protocol === "https:" || protocol === "http:") && username === "" && password === "" &&
    search === "" && hash === "";
}
