import { Hono } from "hono";
import { z } from "zod";
import { actorOf, type AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { operation } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import type { ApiContext } from "./context.ts";
import { timeMs } from "./schemas/fields.ts";

const configSchema = z.object({
  document: z.record(z.string(), z.unknown()).describe("Keys as in the config file."),
  toml: z.string().describe("The same, as a config file."),
  loadedAtMs: timeMs(),
  file: z.object({
    kind: z.enum(["same", "changed", "broken", "partial"]).describe(
      "Whether the file on disk says what is in force, something else, has errors, or was only " +
        "partly used by the last reload.",
    ),
    problems: z.array(z.string()).describe("Errors of the file, or what could not be used."),
  }),
}).meta({ id: "EffectiveConfig" });

const reloadSchema = z.object({
  kind: z.enum(["reloaded", "partial"]),
  problem: z.string().nullable().describe("Settings that could not be changed."),
}).meta({ id: "Reloaded" });

/** The configuration in force. */
export function configRoutes({ ports: { config } }: ApiContext) {
  const tag = "Configuration";
  return new Hono<AdminEnv>()
    .get(
      "/config",
      operation({
        ...{ tag, id: "getConfig", role: "operator", answer: configSchema },
        summary: "Show the effective configuration, with defaults and without secrets",
      }),
      async (c) => {
        const file = await config.fileState();
        const problems = file.kind === "broken"
          ? file.problems
          : file.kind === "partial"
          ? [file.problem]
          : [];
        return answer(c, configSchema, { ...config.read(), file: { kind: file.kind, problems } });
      },
    )
    .post(
      "/config/reload",
      operation({
        ...{ tag, id: "reloadConfig", role: "admin", answer: reloadSchema },
        summary: "Reload the config file",
        description: "If it has errors, nothing is changed and every error is listed.",
      }),
      async (c) => {
        if (config.reload === undefined) return problem(c, "not-found");
        const result = await config.reload({ by: actorOf(c.get("caller")) });
        if (result.kind === "invalid") {
          const errors = result.problems.map((message) => ({
            ...{ in: "body" as const, field: "", message },
          }));
          return problem(c, "refused", { detail: "The config file has errors.", errors });
        }
        const problemText = result.kind === "partial" ? result.problem : null;
        return answer(c, reloadSchema, { kind: result.kind, problem: problemText });
      },
    );
}
