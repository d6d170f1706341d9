import type { Config } from "../../config/schema.ts";
import { listenedPorts, type LoadedFacts, permissionFlags } from "./permissions.ts";

/** A Dockerfile that runs the relay from its sources, with the permissions it needs and no more. */
export function containerFile(
  facts: LoadedFacts,
  { denoVersion }: { denoVersion: string },
): string {
  const { config } = facts;
  const inside = { ...facts, file: "/etc/posthouse.toml", program: "/app/src" };
  const flags = permissionFlags(inside).map((flag) => JSON.stringify(flag));
  const ports = listenedPorts(config);
  return `# Dockerfile, beside deno.json
FROM denoland/deno:${denoVersion}
WORKDIR /app
COPY deno.json deno.lock ./
COPY src ./src
RUN deno install --frozen --entrypoint src/main.ts \\
  && mkdir -p ${mountPoint(config)} && chown deno:deno ${mountPoint(config)}
USER deno
VOLUME ${mountPoint(config)}
${ports.length === 0 ? "" : `EXPOSE ${ports.join(" ")}\n`}ENTRYPOINT ["deno", "run", ${
    flags.join(", ")
  }, "src/main.ts"]
CMD ["serve", "--config", "/etc/posthouse.toml"]
`;
}

/** A compose file for that container. */
export function composeFile(config: Config): string {
  const { queue: { drainTimeoutMs } } = config;
  const ports = listenedPorts(config).map((port) => `      - "${port}:${port}"\n`);
  return `# compose.yaml
services:
  posthouse:
    build: .
    restart: unless-stopped
    stop_grace_period: ${Math.ceil(drainTimeoutMs / 1000) + 10}s
${ports.length === 0 ? "" : `    ports:\n${ports.join("")}`}    volumes:
      - queue:${mountPoint(config)}
      - ./posthouse.toml:/etc/posthouse.toml:ro
volumes:
  queue:
`;
}

/** Where the queue is in the container; relative folders start at its working directory. */
function mountPoint({ dataDir }: Config): string {
  return dataDir.startsWith("/") ? dataDir : `/app/${dataDir.replace(/^\.\//, "")}`;
}
