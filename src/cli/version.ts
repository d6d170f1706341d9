import { DatabaseSync } from "node:sqlite";
import manifest from "../../deno.json" with { type: "json" };
import { type Command, JSON_FLAG } from "./command.ts";
import { EXIT, writeJson } from "./io.ts";
import { pad } from "./text.ts";

/** The version of the program. */
export const VERSION: string = manifest.version;

/** Prints the versions of the program and of what it stands on. */
export const versionCommand: Command = {
  name: "version",
  summary: "Print the versions of Posthouse, Deno, V8 and SQLite.",
  flags: [JSON_FLAG],
  examples: [
    { command: "version", does: "For a bug report" },
    { command: "version --json", does: "As JSON" },
  ],
  run({ io, flags }) {
    const facts = {
      posthouse: VERSION,
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      sqlite: sqliteVersion(),
      platform: Deno.build.target,
    };
    if (flags.switch("json")) writeJson(io, facts);
    else for (const [name, value] of Object.entries(facts)) io.out(`${pad(name, 9)} ${value}\n`);
    return EXIT.ok;
  },
};

function sqliteVersion(): string {
  const database = new DatabaseSync(":memory:");
  try {
    return String(database.prepare("SELECT sqlite_version() AS version").get()?.["version"]);
  } finally {
    database.close();
  }
}
