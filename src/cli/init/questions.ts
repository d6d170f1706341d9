import { parseHostPort } from "../../config/fields.ts";
import { RELAY_TYPES, type RelayType } from "../../relay/schemas.ts";
import type { FlagValues } from "../flags.ts";
import type { CliIo } from "../io.ts";
import { styleOf } from "../style.ts";
import {
  type Answers,
  type ApiValue,
  neededKeys,
  PLAIN_WAYS,
  type Purpose,
  PURPOSES,
  type Way,
} from "./answers.ts";

const WAYS: readonly string[] = [...PLAIN_WAYS, ...RELAY_TYPES];
const PRIVATE_NETWORKS = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7";
const SMTP_PORTS: Readonly<Record<Purpose, number>> = { app: 2525, lan: 25, staging: 1025 };
const ADMIN_PORT = 8025;
const SMARTHOST_PORT = 25;

/** Nobody is there to answer, and a flag that is needed is missing. */
export class MissingAnswer extends Error {
  override readonly name = "MissingAnswer";
}

/** One question. */
interface Question {
  /** The flag that answers it. */
  readonly flag: string;
  readonly text: string;
  /** What holds when nothing is typed; absent when something must be. */
  readonly usual?: string;
  /** Why an answer is of no use; null when it is. */
  readonly problem?: (answer: string) => string | null;
}

/**
 * Gets the answers for a new config: from flags, from anyone who sits at the terminal, or as usual.
 *
 * @throws MissingAnswer when a needed one cannot be had.
 */
export class Questions {
  readonly #io: CliIo;
  readonly #flags: FlagValues;
  readonly #asks: boolean;

  constructor(io: CliIo, flags: FlagValues) {
    this.#io = io;
    this.#flags = flags;
    this.#asks = io.terminal.stdin && !flags.switch("yes");
  }

  async answers(): Promise<Answers> {
    const purpose = await this.#choice({
      ...{ flag: "for", words: PURPOSES, usual: "app" },
      text:
        "Purpose: app (applications on this machine), lan (devices and servers of a network), " +
        "staging (captures all mail, sends none)?",
    }) as Purpose;
    const hostname = await this.#ask({
      ...{
        flag: "hostname",
        text: "Host name of the relay in the DNS",
        usual: this.#io.hostname(),
      },
    });
    const isLan = purpose === "lan";
    const networks = isLan ? await this.#networks() : null;
    return {
      ...{ purpose, hostname, networks },
      dataDir: this.#flags.text("data-dir") ?? "./data",
      address: this.#flags.text("address") ?? (isLan ? "0.0.0.0" : "127.0.0.1"),
      port: await this.#port("port", { text: "SMTP port", usual: SMTP_PORTS[purpose] }),
      way: purpose === "staging" ? null : await this.#way(),
      tls: isLan ? await this.#tls() : null,
      admin: await this.#admin(),
    };
  }

  async #networks(): Promise<string[]> {
    const text = await this.#ask({
      ...{
        flag: "networks",
        text: "Networks that may relay to any domain",
        usual: PRIVATE_NETWORKS,
      },
    });
    return text.split(/[,\s]+/).filter(Boolean);
  }

  async #way(): Promise<Way> {
    const way = await this.#choice({
      ...{ flag: "way", words: WAYS, usual: "mx" },
      text: "How does mail leave: mx (to the servers of each recipient), smarthost (through " +
        `another server), or an HTTP API (${RELAY_TYPES.join(", ")})?`,
    });
    if (way === "mx") return { kind: "mx" };
    return way === "smarthost" ? await this.#smarthost() : await this.#api(way as RelayType);
  }

  async #smarthost(): Promise<Way> {
    const host = await this.#ask({
      ...{ flag: "smarthost", text: "Smarthost, such as mail.example.net:587" },
      problem: (text) =>
        parseHostPort(text, { defaultPort: SMARTHOST_PORT }) === null
          ? "that is no host and port"
          : null,
    });
    const username = await this.#ask({
      ...{ flag: "username", text: "User name for the smarthost; empty for no login", usual: "" },
    });
    if (username === "") return { kind: "smarthost", host, login: null };
    const passwordVariable = await this.#variable("POSTHOUSE_PASSWORD", "its password");
    return { kind: "smarthost", host, login: { username, passwordVariable } };
  }

  async #api(type: RelayType): Promise<Way> {
    const given = new Map(
      this.#flags.texts("set").map((text) => {
        const [name = "", ...value] = text.split("=");
        return [name, value.join("=")];
      }),
    );
    const values: Record<string, ApiValue> = {};
    for (const { name, description, isSecret } of neededKeys(type)) {
      const preset = given.get(name);
      if (preset !== undefined && !isSecret) values[name] = preset;
      else if (isSecret) {
        const usual = preset ?? `${type}_${name}`.toUpperCase();
        values[name] = { env: preset ?? await this.#variable(usual, name) };
      } else values[name] = await this.#ask({ flag: `set ${name}=…`, text: description });
    }
    return { kind: "api", type, values };
  }

  #variable(usual: string, what: string): Promise<string> {
    return this.#ask({
      ...{ flag: "", text: `Name of the environment variable that contains ${what}`, usual },
      problem: (text) => /^\w+$/.test(text) ? null : "that is no name of a variable",
    });
  }

  async #tls(): Promise<Answers["tls"]> {
    const text = "PEM file of a certificate for STARTTLS; empty for none";
    const certificate = await this.#ask({ flag: "certificate", text, usual: "" });
    if (certificate === "") return null;
    return { certificate, key: await this.#ask({ flag: "key", text: "PEM file of its key" }) };
  }

  async #admin(): Promise<Answers["admin"]> {
    const text = "Port of the dashboard on this machine; 0 disables it";
    const port = await this.#port("admin-port", { text, usual: ADMIN_PORT });
    return port === 0 ? null : { address: "127.0.0.1", port };
  }

  async #port(
    flag: string,
    { text, usual }: { text: string; usual: number },
  ): Promise<number> {
    const answer = await this.#ask({
      ...{ flag, text, usual: String(usual) },
      problem: (typed) =>
        /^\d{1,5}$/.test(typed) && Number(typed) < 65_536 ? null : "that is no port",
    });
    return Number(answer);
  }

  #choice(
    { words, ...question }: Question & { words: readonly string[] },
  ): Promise<string> {
    return this.#ask({
      ...question,
      problem: (text) => words.includes(text) ? null : `expected one of ${words.join(", ")}`,
    });
  }

  async #ask({ flag, text, usual, problem = () => null }: Question): Promise<string> {
    const given = this.#flags.text(flag) ?? this.#flags.number(flag)?.toString();
    if (given !== undefined) return given;
    if (!this.#asks) {
      if (usual !== undefined) return usual;
      throw new MissingAnswer(`${text}: set it with --${flag}.`);
    }
    const style = styleOf(this.#io, "stderr");
    for (;;) {
      const hint = usual === undefined || usual === "" ? "" : ` ${style.dim(`[${usual}]`)}`;
      this.#io.err(`${text}${hint} `);
      const typed = await this.#io.stdin.readLine();
      if (typed === null) throw new MissingAnswer("No config was written.");
      const answer = typed.trim() === "" ? usual : typed.trim();
      const reason = answer === undefined ? "something is needed here" : problem(answer);
      if (reason === null && answer !== undefined) return answer;
      this.#io.err(`${style.red(reason ?? "")}\n`);
    }
  }
}
