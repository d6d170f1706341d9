import { type LoadedFacts, permissionFlags } from "./permissions.ts";

/** Whether this program is an executable of its own, with its permissions in it. */
export function isExecutable(): boolean {
  return Deno.build.standalone;
}

/** The folder of this program, whose files the runtime reads; null for an executable. */
export function programFolder(): string | null {
  if (isExecutable()) return null;
  // A bundle is one file beside its worker; the sources are two folders up.
  return new URL(isBundled() ? "." : "../..", import.meta.url).pathname.replace(/\/$/, "");
}

function isBundled(): boolean {
  return !import.meta.url.endsWith("/cli/init/start_command.ts");
}

/** The command that starts the relay with its permissions and no more, a word an element. */
export function startCommand(facts: LoadedFacts): string[] {
  const { file, program } = facts;
  if (program === null) return ["posthouse", "serve", "--config", file];
  const main = `${program}/${isBundled() ? "main.js" : "main.ts"}`;
  return ["deno", "run", ...permissionFlags(facts), main, "serve", "--config", file];
}

/** A command as a shell takes it. */
export function shellText(words: readonly string[]): string {
  return words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : quoted(word)).join(" ");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
