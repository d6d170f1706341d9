import { z } from "zod";
import { RELAY_SCHEMAS, type RelayType } from "../../relay/schemas.ts";

/** What a relay is for. */
export const PURPOSES = ["app", "lan", "staging"] as const;
export type Purpose = typeof PURPOSES[number];

/** How mail leaves, besides the types of HTTP APIs. */
export const PLAIN_WAYS = ["mx", "smarthost"] as const;

/** What a new config is made from. */
export interface Answers {
  readonly purpose: Purpose;
  readonly hostname: string;
  readonly dataDir: string;
  readonly address: string;
  readonly port: number;
  /** Networks that may send to anybody; null for this machine alone. */
  readonly networks: readonly string[] | null;
  /** Null where mail is captured. */
  readonly way: Way | null;
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  readonly admin: { readonly address: string; readonly port: number } | null;
}

/** How mail leaves. */
export type Way =
  | { readonly kind: "mx" }
  | {
    readonly kind: "smarthost";
    readonly host: string;
    /** Null where it asks for none; the password stands in a variable. */
    readonly login: { readonly username: string; readonly passwordVariable: string } | null;
  }
  | {
    readonly kind: "api";
    readonly type: RelayType;
    /** Values of its keys; secrets are references to variables. */
    readonly values: Readonly<Record<string, ApiValue>>;
  };

/** A value, or the variable that it stands in. */
export type ApiValue = string | { readonly env: string };

/** A key that an HTTP API needs. */
export interface ApiKey {
  readonly name: string;
  readonly description: string;
  readonly isSecret: boolean;
}

/** The keys that a transport of this type cannot do without. */
export function neededKeys(type: RelayType): ApiKey[] {
  const schema = z.toJSONSchema(RELAY_SCHEMAS[type], { io: "input", unrepresentable: "any" });
  const properties = schema.properties ?? {};
  return (schema.required ?? []).map((name) => {
    const property = properties[name];
    const isTable = typeof property === "object";
    return {
      name,
      description: isTable ? property.description ?? name : name,
      isSecret: isTable && property.writeOnly === true,
    };
  });
}

/** The config file that answers mean, as a document. */
export function documentOf(answers: Answers): Record<string, unknown> {
  const { purpose, hostname, dataDir, address, port, networks, way, tls, admin } = answers;
  return {
    ...{ hostname, data_dir: dataDir },
    listeners: [{ name: "smtp", address, port }],
    ...(tls === null ? {} : { tls: { certificates: [tls] } }),
    ...(networks === null ? {} : { relay: { networks: ["127.0.0.0/8", "::1/128", ...networks] } }),
    ...(way === null ? {} : { transports: { out: transportOf(way) } }),
    ...(purpose === "staging" ? { routes: [{ name: "everything", mode: "capture" }] } : {}),
    admin: admin === null ? { enabled: false } : admin,
  };
}

function transportOf(way: Way): Record<string, unknown> {
  switch (way.kind) {
    case "mx":
      return { type: "mx" };
    case "smarthost": {
      const { host, login } = way;
      const auth = login === null
        ? {}
        : { auth: { username: login.username, password: { env: login.passwordVariable } } };
      return { type: "smarthost", hosts: [host], ...auth };
    }
    case "api":
      return { type: way.type, ...way.values };
  }
}

/** The variables that must be set before a relay with these answers starts. */
export function variablesOf({ way }: Answers): string[] {
  if (way?.kind === "smarthost") return way.login === null ? [] : [way.login.passwordVariable];
  if (way?.kind !== "api") return [];
  return Object.values(way.values).flatMap((value) => typeof value === "string" ? [] : [value.env]);
}
