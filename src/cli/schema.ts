import { configJsonSchema } from "../config/json_schema.ts";
import { type Command, JSON_FLAG } from "./command.ts";
import { EXIT, writeJson } from "./io.ts";

/** Prints the JSON Schema of the config file. */
export const schemaCommand: Command = {
  name: "schema",
  summary: "Print the JSON Schema of the config file.",
  details: "Editors with TOML support use it for completion and validation.",
  flags: [{ ...JSON_FLAG, help: "Print JSON, the only format." }],
  examples: [{ command: "schema > posthouse.schema.json", does: "Save it for an editor" }],
  run({ io }) {
    writeJson(io, configJsonSchema());
    return EXIT.ok;
  },
};
