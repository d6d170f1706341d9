import { assertEquals } from "@std/assert";
import plugin from "./room_lint.ts";

/** What the rule says of one file. */
function lint(file: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, `/usr/src/posthouse/src/${file}`, source)
    .map(({ message }) => message);
}

const CLIENT_SENTENCE =
  "smtp/client must not import queue/store.ts. It may import base, mail, smtp/wire, " +
  "the types of net/conn.ts, because it speaks; it does not decide or retry.";

Deno.test("room lint: every form of import is seen", () => {
  for (
    const source of [
      `import { StoreError } from "../../queue/store.ts";`,
      `import type { QueueStore } from "../../queue/store.ts";`,
      `import "../../queue/store.ts";`,
      `export { StoreError } from "../../queue/store.ts";`,
      `export * from "../../queue/store.ts";`,
      `export type * from "../../queue/store.ts";`,
      `const store = await import("../../queue/store.ts");`,
      `type Store = import("../../queue/store.ts").QueueStore;`,
      `new Worker(new URL("../../queue/store.ts", import.meta.url), { type: "module" });`,
    ]
  ) {
    assertEquals(lint("smtp/client/client.ts", source), [CLIENT_SENTENCE], source);
  }
});

Deno.test("room lint: what the table allows passes", () => {
  for (
    const [file, source] of [
      ["smtp/client/client.ts", `import { readReply } from "../wire/reply.ts";`],
      ["smtp/client/client.ts", `import { other } from "./other.ts";`],
      ["smtp/client/client.ts", `import type { Conn } from "../../net/conn.ts";`],
      ["smtp/server/session.ts", `import { type Conn, type TlsInfo } from "../../net/conn.ts";`],
      ["delivery/mx.ts", `import { dial } from "../net/dial.ts";`],
      ["admin/app.ts", `import type { QueueStore } from "../queue/store.ts";`],
      ["relay/ses/transport.ts", `import type { Transport } from "../../delivery/transport.ts";`],
      ["relay/ses/transport.ts", `import { outcomeOf } from "../http.ts";`],
      ["relay/ses/transport.ts", `import { convert } from "./convert.ts";`],
      ["app.ts", `import { openSqliteStore } from "./queue/sqlite/store.ts";`],
      ["cli/version.ts", `import manifest from "../../deno.json" with { type: "json" };`],
      ["main.ts", `import { run } from "./cli/run.ts"; await run(Deno.args);`],
      ["net/dial.ts", `import tls from "node:tls"; Deno.connect({ port: 25 }); tls.connect({});`],
      ["smtp/wire/reader.ts", `import { isAscii } from "node:buffer";`],
      ["base/clock.ts", `export const now = () => Date.now();`],
      ["smtp/wire/path.ts", `const facts = { Date: 1, fetch: 2 }; facts.Date; facts.fetch;`],
      ["std.d.ts", `declare module "x" {}`],
    ] as const
  ) {
    assertEquals(lint(file, source), [], `${file}: ${source}`);
  }
});

Deno.test("room lint: only types come from the connection", () => {
  assertEquals(
    lint("smtp/client/client.ts", `import { wrap } from "../../net/conn.ts";`).length,
    1,
  );
  assertEquals(
    lint("smtp/client/client.ts", `import { type Conn, wrap } from "../../net/conn.ts";`).length,
    1,
  );
});

Deno.test("room lint: walls that the table draws", () => {
  for (
    const [file, source] of [
      ["base/ids.ts", `import { parse } from "../mail/address.ts";`],
      ["mail/address.ts", `import { connect } from "../net/dial.ts";`],
      ["queue/queue.ts", `import type { Transport } from "../delivery/transport.ts";`],
      ["delivery/worker.ts", `import { ses } from "../relay/ses/transport.ts";`],
      ["relay/ses/transport.ts", `import { convert } from "../mailgun/convert.ts";`],
      ["relay/http.ts", `import { convert } from "./mailgun/convert.ts";`],
      ["admin/app.ts", `import { openSqliteStore } from "../queue/sqlite/store.ts";`],
      ["config/load.ts", `import { version } from "../cli/version.ts";`],
      ["config/load.ts", `import { start } from "../app.ts";`],
      ["config/load.ts", `import manifest from "../../deno.json" with { type: "json" };`],
      ["queue/queue.ts", `import { havePeer } from "../../tests/support/peers.ts";`],
      ["rooms/new.ts", `export {};`],
    ] as const
  ) {
    assertEquals(lint(file, source).length, 1, `${file}: ${source}`);
  }
});

Deno.test("room lint: the runtime is kept to the rooms that own it", () => {
  for (
    const [file, source] of [
      ["base/ids.ts", `Deno.cwd();`],
      ["mail/dsn.ts", `type Conn = Deno.Conn;`],
      ["policy/relay.ts", `const { readFile } = Deno;`],
      ["policy/relay.ts", `await fetch("http://localhost");`],
      ["smtp/wire/reader.ts", `setTimeout(() => {}, 1);`],
      ["smtp/wire/reader.ts", `const at = new Date();`],
      ["smtp/server/session.ts", `Deno.listen({ port: 25 });`],
      ["delivery/mx.ts", `import dns from "node:dns/promises";`],
      ["config/load.ts", `Deno.env.get("HOME");`],
      ["admin/app.ts", `import { DatabaseSync } from "node:sqlite";`],
    ] as const
  ) {
    assertEquals(lint(file, source).length, 1, `${file}: ${source}`);
  }
});

Deno.test("room lint: files beside src are not its business", () => {
  const source = `import "../../src/queue/store.ts"; Deno.exit(1);`;
  assertEquals(Deno.lint.runPlugin(plugin, "/posthouse/tests/a_test.ts", source), []);
});
