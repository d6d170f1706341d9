import type { z } from "zod";
import { hostname, table, text } from "./fields.ts";
import { type AdminConfig, adminConfig, adminSchema } from "./sections/admin.ts";
import {
  type AuthenticationConfig,
  authenticationConfig,
  authenticationSchema,
} from "./sections/auth.ts";
import { type AliasesConfig, aliasesSchema } from "./sections/aliases.ts";
import { type ArcConfig, arcConfig, arcSchema } from "./sections/arc.ts";
import { type BouncesConfig, bouncesConfig, bouncesSchema } from "./sections/bounces.ts";
import { type DkimConfig, dkimConfig, dkimSchema } from "./sections/dkim.ts";
import { type DeliveryConfig, deliveryConfig, deliverySchema } from "./sections/delivery.ts";
import { type DnsConfig, dnsConfig, dnsSchema } from "./sections/dns.ts";
import { type LimitsConfig, limitsConfig, limitsSchema } from "./sections/limits.ts";
import { type ListenerConfig, listenerConfig, listenersSchema } from "./sections/listeners.ts";
import { type LogConfig, logConfig, logSchema } from "./sections/log.ts";
import {
  type NotificationsConfig,
  notificationsConfig,
  notificationsSchema,
} from "./sections/notifications.ts";
import {
  type ProviderEventsConfig,
  providerEventsConfig,
  providerEventsSchema,
} from "./sections/provider_events.ts";
import { type QueueConfig, queueConfig, queueSchema } from "./sections/queue.ts";
import { type RelayConfig, relayConfig, relaySchema } from "./sections/relay.ts";
import { repliesSchema, type ReplyConfig, replyConfig } from "./sections/replies.ts";
import { type RouteConfig, routeConfig, routesSchema } from "./sections/routes.ts";
import { type ShapingConfig, shapingConfig, shapingSchema } from "./sections/shaping.ts";
import { type TlsConfig, tlsConfig, tlsSchema } from "./sections/tls.ts";
import {
  type TlsReportsConfig,
  tlsReportsConfig,
  tlsReportsSchema,
} from "./sections/tls_reports.ts";
import { type TransportConfig, transportConfig, transportsSchema } from "./sections/transports.ts";
import { type UserConfig, userConfig, usersSchema } from "./sections/users.ts";
import { type WebhookConfig, webhookConfig, webhooksSchema } from "./sections/webhooks.ts";

/** The whole configuration, validated, complete and frozen. */
export interface Config {
  /** The relay's own name in greetings, EHLO and trace fields. */
  readonly hostname: string;
  /** Folder of the queue. */
  readonly dataDir: string;
  /** At least one. */
  readonly listeners: readonly ListenerConfig[];
  readonly tls: TlsConfig;
  readonly relay: RelayConfig;
  readonly aliases: AliasesConfig;
  readonly auth: AuthenticationConfig;
  /** Those of the config file; the users file may have more. */
  readonly users: readonly UserConfig[];
  readonly limits: LimitsConfig;
  readonly queue: QueueConfig;
  readonly delivery: DeliveryConfig;
  readonly notifications: NotificationsConfig;
  readonly bounces: BouncesConfig;
  readonly tlsReports: TlsReportsConfig;
  readonly dns: DnsConfig;
  /** By name; at least one. */
  readonly transports: Readonly<Record<string, TransportConfig>>;
  /** At least one; every transport they name exists. */
  readonly routes: readonly RouteConfig[];
  readonly shaping: readonly ShapingConfig[];
  readonly replies: readonly ReplyConfig[];
  readonly dkim: readonly DkimConfig[];
  /** Null where nothing is sealed. */
  readonly arc: ArcConfig | null;
  readonly admin: AdminConfig;
  readonly webhooks: readonly WebhookConfig[];
  readonly providerEvents: ProviderEventsConfig;
  readonly log: LogConfig;
}

/** The shape of the config file: keys as in TOML, values as written, defaults filled in. */
export const documentSchema = table({
  hostname: hostname().optional()
    .describe(
      "Host name of the relay in greetings and trace fields. Default: the host name of the " +
        "system.",
    ),
  data_dir: text({ expected: "the path of a folder", isValid: (value) => value !== "" })
    .default("./data").describe("Folder of the queue and other state."),
  listeners: listenersSchema,
  tls: tlsSchema,
  relay: relaySchema,
  aliases: aliasesSchema,
  auth: authenticationSchema,
  users: usersSchema,
  limits: limitsSchema,
  queue: queueSchema,
  delivery: deliverySchema,
  notifications: notificationsSchema,
  bounces: bouncesSchema,
  tls_reports: tlsReportsSchema,
  dns: dnsSchema,
  transports: transportsSchema,
  routes: routesSchema,
  shaping: shapingSchema,
  replies: repliesSchema,
  dkim: dkimSchema,
  arc: arcSchema,
  admin: adminSchema,
  webhooks: webhooksSchema,
  provider_events: providerEventsSchema,
  log: logSchema,
});

/** A config file with its defaults filled in. */
export type ConfigDocument = z.output<typeof documentSchema>;

/** A document in which nothing is left to a default. */
export type CompleteDocument = ConfigDocument & {
  readonly hostname: string;
  readonly routes: NonNullable<ConfigDocument["routes"]>;
};

/** Fills in what depends on the system and on other values. */
export function completeDocument(
  document: ConfigDocument,
  { systemHostname }: { systemHostname: string },
): CompleteDocument {
  const { hostname = systemHostname, transports, routes, ...rest } = document;
  const everything = {
    ...{ name: "default", match: {} },
    ...{ transports: Object.keys(transports), raw_only: false },
  };
  return {
    hostname,
    ...rest,
    transports,
    routes: routes ?? [everything],
  };
}

/** Turns a valid document into the values the relay works with. */
export function configOf(document: CompleteDocument): Config {
  return {
    hostname: document.hostname,
    dataDir: document.data_dir,
    listeners: document.listeners.map(listenerConfig),
    tls: tlsConfig(document.tls),
    relay: relayConfig(document.relay),
    aliases: document.aliases,
    auth: authenticationConfig(document.auth),
    users: document.users.map(userConfig),
    limits: limitsConfig(document.limits),
    queue: queueConfig(document.queue),
    delivery: deliveryConfig(document.delivery),
    notifications: notificationsConfig(document.notifications),
    bounces: bouncesConfig(document.bounces),
    tlsReports: tlsReportsConfig(document.tls_reports),
    dns: dnsConfig(document.dns),
    transports: Object.fromEntries(
      Object.entries(document.transports).map(([name, doc]) => [name, transportConfig(doc)]),
    ),
    routes: document.routes.map(routeConfig),
    shaping: document.shaping.map(shapingConfig),
    replies: document.replies.map(replyConfig),
    dkim: document.dkim.map(dkimConfig),
    arc: arcConfig(document.arc),
    admin: adminConfig(document.admin),
    webhooks: document.webhooks.map(webhookConfig),
    providerEvents: providerEventsConfig(document.provider_events),
    log: logConfig(document.log),
  };
}
