/** The `!` lines of a dialogue: what the server of the dialogue is like. */
import { reply } from "../../../src/mail/reply.ts";
import type { TlsInfo } from "../../../src/net/conn.ts";
import type { ServerTlsContext } from "../../../src/net/server_tls.ts";
import { AliasMap } from "../../../src/policy/aliases.ts";
import { ACCEPT, refuse } from "../../../src/policy/decision.ts";
import { EXTENSIONS } from "../../../src/smtp/server/extensions/mod.ts";
import { OPEN_POLICY } from "../../../src/reception/policy.ts";
import type { QueueStarter } from "../../../src/smtp/server/queue_starter.ts";
import type { SmtpServerOptions } from "../../../src/smtp/server/server.ts";
import type { ServerAuth, ServerTls, Services } from "../../../src/smtp/server/services.ts";
import type { MemorySink } from "./memory_sink.ts";
import { testPolicy } from "./session_setup.ts";
import { TestAuthenticator } from "./test_authenticator.ts";

/** The settings of one dialogue. */
export class DialogueSettings {
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  get clientAddress(): string {
    return this.#one("client") ?? "192.0.2.1";
  }

  /** What a TLS handshake comes to; null where it fails. */
  get handshake(): TlsInfo | null {
    if (this.#one("handshake") === "fails") return null;
    const subject = this.#one("certificate");
    const info = { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };
    if (subject === undefined) return info;
    const peer = { authorized: true, reason: null, subject, fingerprintSha256: "0".repeat(64) };
    return { ...info, peer: { ...peer, names: [], chain: [] } };
  }

  get serverOptions(): Partial<SmtpServerOptions> {
    const limits = this.#all("limit").map((text) => text.split(" "))
      .map(([name, value]) => [name, Number(value)]);
    const offered = this.#one("extensions")?.split(" ");
    const proxy = this.#one("proxy");
    const refusal = this.#one("connect")?.match(/^(\d+) (\d\.\d\.\d) (.*)$/);
    return {
      limits: Object.fromEntries(limits),
      services: this.#services(),
      ...(offered && { extensions: EXTENSIONS.filter(({ name }) => offered.includes(name)) }),
      ...(proxy && { policy: { ...testPolicy(), speaksForOthers: (peer) => peer === proxy } }),
      ...(refusal && { policy: { ...OPEN_POLICY, connect: () => connectDecision(refusal) } }),
    };
  }

  applyTo(sink: MemorySink): void {
    const failure = this.#one("sink");
    if (failure === "full" || failure === "unavailable") {
      sink.result = { kind: "failed", failure };
    }
  }

  #services(): Services {
    const aliases = this.#all("alias").map((text) => text.split(" "))
      .map(([name = "", ...members]) => [name, members] as const);
    const queue = this.#one("queue");
    return {
      tls: serverTls(this.#one("tls")),
      auth: serverAuth(this.#one("auth")),
      aliases: aliases.length === 0 ? null : new AliasMap(aliases),
      startQueue: queue === undefined ? null : queueStarter(queue),
    };
  }

  #one(name: string): string | undefined {
    return this.#all(name)[0];
  }

  #all(name: string): string[] {
    return this.#lines.filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(name.length + 1));
  }
}

function serverTls(mode: string | undefined): ServerTls {
  if (mode !== "offered" && mode !== "required" && mode !== "implicit") return { mode: "none" };
  // The connection of the dialogue makes no real handshake, so nobody looks into the context.
  const context = {} as ServerTlsContext;
  return { mode, upgrade: { role: "server", context, timeoutMs: 10_000 } };
}

function serverAuth(text: string | undefined): ServerAuth | null {
  if (text === undefined) return null;
  const words = text.split(" ");
  return {
    authenticator: new TestAuthenticator(),
    mode: words.includes("always") ? "always" : "tls",
    required: words.includes("required"),
  };
}

/** `example.net 3` has three messages waiting for that domain; `fails` cannot say. */
function queueStarter(text: string): QueueStarter {
  const [domain, count] = text.split(" ");
  return (request) => {
    if (domain === "fails") return Promise.resolve({ kind: "failed" });
    const fits = request.domain === domain ||
      request.subdomains && domain?.endsWith(`.${request.domain}`);
    return Promise.resolve({ kind: "started", messages: fits ? Number(count) : 0 });
  };
}

function connectDecision([, code, enhanced, text = ""]: RegExpMatchArray) {
  if (code === undefined) return ACCEPT;
  return refuse(reply(Number(code), enhanced as `5.${number}.${number}`, text));
}
