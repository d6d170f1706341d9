/** The relay itself: what it is, how it is set up, whether it works. */

/** The relay in a few facts. */
export interface InfoPort {
  /** Changes at a reload are seen at the next call. */
  read(): RelayInfo;
}

export interface RelayInfo {
  readonly version: string;
  /** The relay's own name in SMTP. */
  readonly hostname: string;
  readonly startedAtMs: number;
  /** The config file; null when the defaults hold. */
  readonly configFile: string | null;
  /** `sqlite`, `memory`, `postgres`. */
  readonly store: string;
  readonly listeners: readonly ListenerInfo[];
}

export interface ListenerInfo {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** SMTP sessions open now. */
  readonly sessions: number;
}

/** The configuration in force. */
export interface ConfigPort {
  /** Keys as in TOML, defaults filled in; what came from elsewhere is shown as its reference. */
  read(): {
    readonly document: Readonly<Record<string, unknown>>;
    readonly toml: string;
    readonly loadedAtMs: number;
  };
  /** How the config file on disk stands to what is in force. */
  fileState(): Promise<ConfigFileState>;
  /** Reads the config file again. Absent where the process cannot. */
  reload?(request: { readonly by: string }): Promise<ReloadResult>;
}

/** A config file beside the configuration in force. */
export type ConfigFileState =
  /** It says what is in force. */
  | { readonly kind: "same" }
  /** It says something else, which a reload would use. */
  | { readonly kind: "changed" }
  /** It has mistakes, so a reload would change nothing. */
  | { readonly kind: "broken"; readonly problems: readonly string[] }
  /** A part of it is not in force, as the last reload could not use it. */
  | { readonly kind: "partial"; readonly problem: string };

export type ReloadResult =
  | { readonly kind: "reloaded" }
  /** Nothing was changed. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] }
  /** A part could not be changed, for example an address that is in use; the rest was. */
  | { readonly kind: "partial"; readonly problem: string };

export interface MetricsPort {
  readonly contentType: string;
  render(): Promise<string>;
}

/** One question that decides whether the relay can work. */
export interface HealthCheck {
  /** `store`, `disk`, `listeners`, `scheduler`. */
  readonly name: string;
  readonly ok: boolean;
  /** One sentence for people. */
  readonly detail: string;
}

export interface HealthPort {
  /** Never throws. */
  check(): Promise<readonly HealthCheck[]>;
}
