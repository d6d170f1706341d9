import manifest from "../deno.json" with { type: "json" };
import type { ListenerInfo, ReloadResult } from "./admin/ports.ts";
import { ConfigSource, type LoadedConfig } from "./app/admin/config_source.ts";
import type { RelayParts } from "./app/admin/parts.ts";
import { PauseKeeper } from "./app/admin/pause_keeper.ts";
import { relaySite } from "./app/admin/relay_site.ts";
import type { AdminSite } from "./app/admin/site.ts";
import { RelayWatch } from "./app/admin/watch.ts";
import { DescriptorBudget, descriptorsNeeded } from "./app/descriptors.ts";
import { Doors } from "./app/doors.ts";
import { ListenerTls } from "./app/listener_tls.ts";
import { usersFileOf } from "./app/users_file.ts";
import { createAuthenticator, type ManagedAuthenticator } from "./auth/create_authenticator.ts";
import { dnsOptions } from "./app/dns.ts";
import { Feedback } from "./app/feedback.ts";
import { HistoryKeeper } from "./app/history.ts";
import { ProviderEventsSite } from "./app/provider_events.ts";
import { intakeLimits, schedulerLimits } from "./app/queue_settings.ts";
import { makePrivate } from "./app/private_files.ts";
import { createSubmitter } from "./app/http_in.ts";
import { type DeliveryRules, deliveryRules } from "./app/rules.ts";
import { sendAgainServices } from "./app/send_again.ts";
import { refreshTokens } from "./app/refresh_tokens.ts";
import { SharedChanges } from "./app/shared_changes.ts";
import { openStore } from "./app/store.ts";
import { isSame, restartNeeds } from "./app/restart_needs.ts";
import { serverSettings } from "./app/server_settings.ts";
import { TlsServices } from "./app/tls_services.ts";
import { type TransportPlan, TransportSet } from "./app/transports.ts";
import { type Clock, systemClock } from "./base/clock.ts";
import { Deadlines } from "./base/deadlines.ts";
import { idGenerator } from "./base/ids.ts";
import { isPublicAddress } from "./base/ip.ts";
import { type Random, systemRandom } from "./base/random.ts";
import type { Config } from "./config/schema.ts";
import type { Router } from "./delivery/dispatcher.ts";
import { createRouter } from "./delivery/router.ts";
import { Scheduler } from "./delivery/scheduler.ts";
import type { Transport } from "./delivery/transport.ts";
import { CountKeeper } from "./queue/count_keeper.ts";
import { Shaper } from "./delivery/shaping/shaper.ts";
import { summarize } from "./mail/summary.ts";
import { dial } from "./net/dial.ts";
import { fetchFrom, webFetch } from "./net/http_fetch.ts";
import { createResolver, type Resolver } from "./net/resolver.ts";
import { type EventSink, fanOut } from "./observe/events.ts";
import { Intake } from "./queue/intake.ts";
import { sendAgain } from "./queue/send_again.ts";
import type { QueueStore } from "./queue/store.ts";
import type { EventRecorder } from "./queue/outbox.ts";
import { SuppressionList } from "./queue/suppressions.ts";
import { UserRates } from "./policy/user_rate.ts";
import { recordEvent } from "./webhooks/event_body.ts";
import { Webhooks } from "./webhooks/webhooks.ts";

/** What a relay gets from the process it runs in. */
export interface RelayOptions {
  /** Is notified of everything that happens. */
  readonly events: EventSink;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Where the configuration was loaded from, to show it and to load it again. */
  readonly loaded?: LoadedConfig;
  /** Counts the files that the process can open, up to `most`; absent for no limit. */
  readonly countDescriptors?: (most: number) => number;
}

/**
 * Starts a relay: opens the queue, starts delivering what is in it, then accepts mail.
 *
 * @throws StoreError when the queue cannot be opened, CertificateError or UsersError when those of
 * the configuration cannot be used, ListenError when an address cannot be listened on; nothing is
 * left running then.
 */
export async function startRelay(wanted: Config, options: RelayOptions): Promise<Relay> {
  const { clock = systemClock, random = systemRandom, events, loaded } = options;
  const available = options.countDescriptors?.(descriptorsNeeded(wanted)) ?? Infinity;
  const budget = new DescriptorBudget(available, events);
  const config = budget.fit(wanted);
  const store = await openStore(config, { clock, mode: "relay" });
  const watch = new RelayWatch({ store, clock, version: manifest.version, events });
  const pauses = new PauseKeeper({ path: `${config.dataDir}/pauses.json`, clock });
  const relay = new Relay(config, {
    ...{ store, clock, random, watch, pauses, budget, loaded: loaded ?? null },
  });
  try {
    for (const message of await makePrivate(config.dataDir)) {
      watch.sink({ type: "trouble", level: "warning", component: "data_dir", message });
    }
    await pauses.load();
    await relay.start();
    return relay;
  } catch (error) {
    await relay.stop();
    throw error;
  }
}

/** A running relay. */
export class Relay {
  readonly #store: QueueStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #events: EventSink;
  readonly #watch: RelayWatch;
  readonly #pauses: PauseKeeper;
  readonly #budget: DescriptorBudget;
  readonly #source: ConfigSource | null;
  readonly #admin: AdminSite;
  readonly #deadlines: Deadlines;
  readonly #resolver: Resolver;
  readonly #domainTls: TlsServices;
  readonly #transports: TransportSet;
  readonly #shaper: Shaper;
  readonly #limitCounts: CountKeeper;
  readonly #userCounts: CountKeeper;
  readonly #scheduler: Scheduler;
  readonly #intake: Intake;
  readonly #history: HistoryKeeper;
  readonly #suppressions: SuppressionList;
  readonly #feedback: Feedback;
  readonly #providerEvents: ProviderEventsSite;
  readonly #webhooks: Webhooks;
  readonly #sharedChanges: SharedChanges;
  readonly #newId: () => string;
  readonly #tls: ListenerTls;
  readonly #userRates = new UserRates();
  /** Null before `start`. */
  #authenticator: ManagedAuthenticator | null = null;
  readonly #doors = new Doors();
  readonly #fetch = fetchFrom({});
  readonly #publicFetch = fetchFrom({ allows: isPublicAddress });
  #rules: DeliveryRules;
  #config: Config;
  #stopped: Promise<void> | null = null;

  constructor(
    config: Config,
    { store, clock, random, watch, pauses, budget, loaded }: {
      store: QueueStore;
      clock: Clock;
      random: Random;
      watch: RelayWatch;
      pauses: PauseKeeper;
      budget: DescriptorBudget;
      loaded: LoadedConfig | null;
    },
  ) {
    this.#webhooks = new Webhooks({
      ...{ outbox: store.outbox, clock, events: watch.sink },
      fetch: webFetch(this.#fetch.fetch),
      publicFetch: webFetch(this.#publicFetch.fetch),
    });
    const events = fanOut([watch.sink, this.#webhooks.sink]);
    this.#watch = watch;
    this.#pauses = pauses;
    this.#budget = budget;
    this.#source = loaded === null ? null : new ConfigSource({
      ...{ loaded, clock, events },
      use: (next) => this.reload(next),
    });
    this.#config = config;
    this.#store = store;
    this.#suppressions = new SuppressionList({ shelf: store.shelf, clock });
    this.#newId = idGenerator({ clock, random });
    this.#resolver = createResolver({ ...dnsOptions(config), clock, random });
    this.#feedback = new Feedback({
      resolver: this.#resolver,
      ...{ store, clock, events, suppressions: this.#suppressions, record: this.#record },
      ...{ newId: this.#newId, wake: () => this.#scheduler.wake(), config: () => this.#config },
    });
    const { desk } = this.#feedback;
    this.#providerEvents = new ProviderEventsSite({ store, desk, clock, events });
    this.#sharedChanges = new SharedChanges({
      ...{ store, suppressions: this.#suppressions, webhooks: this.#webhooks },
      onError: (error) => this.#trouble("queue", error),
    });
    this.#clock = clock;
    this.#random = random;
    this.#events = events;
    this.#tls = new ListenerTls({ clock, events });
    this.#deadlines = new Deadlines({ clock });
    this.#domainTls = new TlsServices(config, {
      ...{ clock, random, newId: this.#newId, resolver: this.#resolver },
      fetch: (url, init) => this.#strangersFetch(url, init),
      shelf: store.shelf,
      intake: () => this.#intake,
      onError: (error) => this.#trouble("delivery", error),
    });
    this.#transports = new TransportSet({
      refreshTokens: refreshTokens({
        shelf: store.shelf,
        onError: (error) => this.#trouble("delivery", error),
      }),
      sts: this.#domainTls.sts,
      ...this.#domainTls.outcomes,
      clock,
      random,
      deadlines: this.#deadlines,
      dial,
      resolver: this.#resolver,
      resign: (message, octets) => this.#rules.signing.resign(message, octets),
      onError: (error) => this.#trouble("delivery", error),
    });
    this.#transports.plan(config).use();
    this.#rules = this.#makeRules(config);
    this.#shaper = new Shaper(config.shaping, { clock, resolver: this.#resolver });
    this.#limitCounts = new CountKeeper({
      ...{ book: this.#shaper.book, space: "limit counts", shelf: store.shelf, clock },
      onError: (error) => this.#trouble("queue", error),
    });
    this.#userCounts = new CountKeeper({
      ...{ book: this.#userRates, space: "user counts", shelf: store.shelf, clock },
      onError: (error) => this.#trouble("queue", error),
    });
    this.#scheduler = this.#makeScheduler();
    this.#intake = new Intake({
      store,
      scheduler: this.#scheduler,
      clock,
      emit: events,
      record: this.#record,
      newId: this.#newId,
      summarize,
      limits: intakeLimits(config),
      expansionNotice: (facts) => this.#rules.expansionNotice(facts),
      sign: (message, reading) => this.#rules.signing.begin(message, reading),
    });
    this.#history = new HistoryKeeper({
      store,
      clock,
      keepMs: config.queue.keepHistoryMs,
      keepFailedMs: config.queue.keepFailedMs,
      onError: (error) => this.#trouble("queue", error),
    });
    this.#admin = this.#makeAdmin();
  }

  /** Where it accepts SMTP, with the real port also where the configuration says 0. */
  get listeners(): readonly ListenerInfo[] {
    return this.#doors.listeners;
  }

  /** Where its admin API and dashboard are; null when they are nowhere. */
  get admin(): AdminSite["local"] {
    return this.#admin.local;
  }

  /** The queue, for anyone who shows or commands it. */
  get store(): QueueStore {
    return this.#store;
  }

  /** Opens the doors. */
  async start(): Promise<void> {
    await this.#tls.use(this.#config);
    this.#authenticator = await this.#makeAuthenticator(this.#config);
    await this.#suppressions.load();
    await this.#limitCounts.load();
    await this.#userCounts.load();
    await this.#webhooks.use(this.#config.webhooks);
    this.#sharedChanges.start();
    this.#scheduler.start();
    this.#history.start();
    await this.#providerEvents.load(this.#config.providerEvents);
    await this.#openDoors();
    this.#watch.stall.start();
    await this.#admin.start();
    await this.#providerEvents.use(this.#config.providerEvents);
    this.#events({ type: "started" });
  }

  /**
   * Loads the configuration again, from where it came, and uses it. With a mistake in it
   * everything stays as it is; what is wrong is an event, too.
   */
  reloadSource(request: { readonly by: string }): Promise<ReloadResult> {
    const nowhere = { kind: "invalid", problems: ["There is no config file to reload"] } as const;
    return this.#source?.reload(request) ?? Promise.resolve(nowhere);
  }

  /**
   * Uses another configuration for all that begins from now on; sessions and attempts under way
   * end with what they began with. What needs a restart is reported and left as it was.
   *
   * @throws CertificateError or UsersError when those of the configuration cannot be used; all
   * stays as it was then. ListenError when a new listener cannot listen; the others are reloaded.
   */
  async reload(wanted: Config): Promise<void> {
    const config = this.#budget.fit(wanted);
    const next = await this.#prepare(config);
    this.#reportRestartNeeds(config);
    const isReshaped = !isSame(config.shaping, this.#config.shaping);
    this.#config = config;
    this.#rules = next.rules;
    const ended = next.transports.use();
    this.#scheduler.replaceRouter(next.router);
    if (isReshaped) {
      this.#shaper.replaceRules(config.shaping);
      this.#scheduler.reshape();
    }
    this.#intake.replaceLimits(intakeLimits(config));
    this.#history.keepMs = config.queue.keepHistoryMs;
    this.#history.keepFailedMs = config.queue.keepFailedMs;
    await this.#webhooks.use(config.webhooks);
    await this.#openDoors();
    await this.#admin.reload(config);
    await this.#providerEvents.use(config.providerEvents);
    await ended;
    this.#events({ type: "reloaded" });
  }

  /** Makes all that may not be made of a configuration; where something fails nothing changes. */
  async #prepare(
    config: Config,
  ): Promise<{ rules: DeliveryRules; transports: TransportPlan; router: Router }> {
    const transports = this.#transports.plan(config);
    try {
      const rules = this.#makeRules(config);
      const router = this.#makeRouter(config, transports.byName);
      await this.#tls.use(config);
      await this.#authenticator?.reload(config, { usersFile: usersFileOf(config) });
      return { rules, transports, router };
    } catch (error) {
      await transports.discard();
      throw error;
    }
  }

  /**
   * Stops accepting, lets sessions end their message and attempts end, both within the configured
   * time, and gives back what is claimed. Calling it again waits for the same.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#events({ type: "draining" });
    const limitMs = this.#config.queue.drainTimeoutMs;
    const timeUp = new AbortController();
    const cancel = this.#clock.schedule(limitMs, () => timeUp.abort());
    // Slow clients take no time from attempts: both end together.
    await Promise.all([
      this.#end(() => this.#doors.shutdown({ signal: timeUp.signal })),
      this.#end(() => this.#scheduler.drain({ limitMs })),
    ]);
    cancel();
    this.#tls[Symbol.dispose]();
    await this.#end(() => this.#authenticator?.[Symbol.asyncDispose]());
    await this.#end(() => this.#history.stop());
    await this.#end(() => this.#watch.stall.stop());
    await this.#end(() => this.#sharedChanges[Symbol.asyncDispose]());
    await this.#end(() => this.#webhooks[Symbol.asyncDispose]());
    await this.#end(() => this.#scheduler.stop({ limitMs: 0 }));
    await this.#end(() => this.#limitCounts[Symbol.asyncDispose]());
    await this.#end(() => this.#userCounts[Symbol.asyncDispose]());
    await this.#end(() => this.#transports[Symbol.asyncDispose]());
    await this.#end(() => this.#domainTls[Symbol.asyncDispose]());
    this.#fetch[Symbol.dispose]();
    this.#publicFetch[Symbol.dispose]();
    this.#resolver[Symbol.dispose]();
    this.#deadlines[Symbol.dispose]();
    this.#watch.feed.end();
    await this.#end(() => this.#providerEvents[Symbol.asyncDispose]());
    await this.#end(() => this.#admin.stop());
    await this.#store[Symbol.asyncDispose]();
    this.#events({ type: "stopped" });
  }

  /** Ends a part; one that cannot end keeps no other from it. */
  async #end(part: () => PromiseLike<void> | undefined): Promise<void> {
    try {
      await part();
    } catch (error) {
      this.#trouble("relay", error);
    }
  }

  #makeRules(config: Config): DeliveryRules {
    return deliveryRules(config, {
      ...{ newId: this.#newId, clock: this.#clock, random: this.#random },
      ...{ events: this.#events, resolver: this.#resolver },
    });
  }

  #makeAuthenticator(config: Config): Promise<ManagedAuthenticator> {
    return createAuthenticator(config, {
      ...{ clock: this.#clock, random: this.#random, usersFile: usersFileOf(config) },
      onTrouble: (message) =>
        this.#events({ type: "trouble", level: "error", component: "auth", message }),
    });
  }

  #makeAdmin(): AdminSite {
    const clock = this.#clock;
    const events = this.#events;
    const newMail = () =>
      sendAgainServices(this.#config, {
        ...{ store: this.#store, nowMs: clock.now(), newId: this.#newId },
        signing: this.#rules.signing,
      });
    const parts: RelayParts = {
      ...{ clock, events, store: this.#store, scheduler: this.#scheduler },
      ...{ suppressions: this.#suppressions, webhooks: this.#webhooks },
      submitter: createSubmitter({
        ...{ clock, events, store: this.#store, intake: this.#intake },
        returnAddresses: this.#feedback.returnAddresses,
        config: () => this.#config,
      }),
      ...{ history: this.#watch.ways, pauses: this.#pauses },
      resolver: this.#resolver,
      newMail,
      sendAgain: (request) => sendAgain(request, newMail()),
      config: () => this.#config,
      transports: () => this.#transports.byName,
      listeners: () => this.listeners,
      receptionRules: (listener) => this.#doors.rulesOf(listener),
    };
    return relaySite(parts, {
      ...{ watch: this.#watch, source: this.#source, random: this.#random },
      version: manifest.version,
    });
  }

  #makeScheduler(): Scheduler {
    return new Scheduler({
      ...schedulerLimits(this.#config),
      store: this.#store,
      clock: this.#clock,
      emit: this.#events,
      owner: this.#newId(),
      retry: (facts) => this.#rules.retry(facts),
      notifications: (facts) => this.#rules.notifications(facts),
      router: this.#makeRouter(this.#config, this.#transports.byName),
      pauses: this.#pauses.pauses,
      record: this.#record,
      suppressions: this.#suppressions,
      onRefused: this.#feedback.onRefused,
      shaper: this.#shaper,
      classifier: () => this.#rules.classifier,
      dialogues: () => this.#config.delivery.dialogues,
    });
  }

  #makeRouter(
    { routes, delivery: { treatment } }: Config,
    transports: ReadonlyMap<string, Transport>,
  ): Router {
    return this.#feedback.router(createRouter(routes, {
      transports,
      random: this.#random,
      ...(treatment === null ? {} : { treatment }),
    }));
  }

  /** Listens where the configuration says so, and serves by it. */
  #openDoors(): Promise<void> {
    const authenticator = this.#authenticator;
    if (authenticator === null) throw new Error("Cannot serve clients: the users are not read");
    const settings = serverSettings(this.#config, {
      ...{ authenticator, clock: this.#clock, deadlines: this.#deadlines, events: this.#events },
      ...{ intake: this.#intake, store: this.#store, suppressions: this.#suppressions },
      ...{ tls: this.#tls, userRates: this.#userRates, feedback: this.#feedback },
      wake: () => this.#scheduler.wake(),
      onQueueError: (error) => this.#trouble("queue", error),
    });
    return this.#doors.use(this.#config.listeners, settings);
  }

  /** What the outbox keeps of an event, while there is somebody to tell. */
  readonly #record: EventRecorder = (event, about) =>
    this.#webhooks.isEmpty ? null : recordEvent(event, about);

  #reportRestartNeeds(config: Config): void {
    for (const key of restartNeeds(this.#config, config)) {
      this.#events({
        type: "trouble",
        level: "warning",
        component: "config",
        message: `The change of ${key} takes effect at the next start`,
      });
    }
  }

  /** Requests to places that strangers name. */
  #strangersFetch(url: string, init: RequestInit): Promise<Response> {
    const isFree = this.#config.delivery.privateWebHosts;
    return webFetch((isFree ? this.#fetch : this.#publicFetch).fetch)(url, init);
  }

  #trouble(component: string, cause: unknown): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#events({ type: "trouble", level: "error", component, message, cause });
  }
}
