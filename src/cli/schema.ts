import { configJsonSchema } from "../config/json_schema.ts";
import { type Command, JSON_FLAG } from "./command.ts";
import { EXIT, writeJson } from "./io.ts";

/** Prints the JSON Schema of the config file. */
export const schemaCommand: Command = {
  name: "schema",
  summary: "Print the JSON Schema of the config file.",
  details: "Editors that know TOML use it to complete and check posthouse.toml.",
  flags: [{ ...JSON_FLAG, help: "Print JSON, as without it." }],
  examples: [{ command: "schema > posthouse.schema.json", does: "Save it for an editor" }],
  run({ io }) {
    writeJson(io, configJsonSchema());
    return EXIT.ok;
  },
};
