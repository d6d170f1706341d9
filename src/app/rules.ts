import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Config } from "../config/schema.ts";
import { type BounceOptions, expansionNoticeMaker, notificationMaker } from "../delivery/bounce.ts";
import { Classifier } from "../delivery/classify/classifier.ts";
import { KNOWN_REPLIES } from "../delivery/classify/known.ts";
import type { RetryPolicy } from "../delivery/conclude.ts";
import type { NotificationMaker } from "../delivery/notifications.ts";
import { retryPolicy } from "../delivery/retry.ts";
import type { Resolver } from "../net/resolver.ts";
import type { EventSink } from "../observe/events.ts";
import type { ExpansionNotice } from "../queue/intake.ts";
import type { RetrySchedule } from "../queue/schedule.ts";
import { MailSigning } from "./signing.ts";

/** What a reload may change in how mail is signed and outcomes are treated. */
export interface DeliveryRules {
  readonly retry: RetryPolicy;
  readonly notifications: NotificationMaker;
  readonly expansionNotice: ExpansionNotice;
  readonly classifier: Classifier;
  readonly signing: MailSigning;
}

/** Makes the rules of a configuration. */
export function deliveryRules(
  config: Config,
  { newId, clock, random, events, resolver }: {
    newId: () => string;
    clock: Clock;
    random: Random;
    events: EventSink;
    resolver: Resolver;
  },
): DeliveryRules {
  const { hostname, notifications, queue: { uncertain } } = config;
  const bounces: BounceOptions = {
    newId,
    hostname,
    postmaster: notifications.postmaster,
    returnLimitBytes: notifications.returnLimitBytes,
    lifetimeMs: notifications.expireMs,
    emit: events,
  };
  const signing = new MailSigning(config, {
    ...{ clock, resolver },
    parallel: navigator.hardwareConcurrency,
  });
  return {
    retry: retryPolicy({ schedule: retrySchedule(config), clock, random, uncertain }),
    classifier: replyClassifier(config),
    notifications: signing.signed(notificationMaker(bounces)),
    expansionNotice: signing.signedNotice(expansionNoticeMaker(bounces)),
    signing,
  };
}

function replyClassifier({ replies, delivery: { knownReplies } }: Config): Classifier {
  const configured = replies.map(({ text, ...rule }) =>
    text === undefined ? rule : { ...rule, text: new RegExp(text, "i") }
  );
  return new Classifier([...configured, ...knownReplies ? KNOWN_REPLIES : []]);
}

function retrySchedule({ queue }: Config): RetrySchedule {
  return {
    delaysMs: queue.retryMs,
    jitter: queue.retryJitter,
    expireAfterMs: queue.expireMs,
    warnAfterMs: queue.delayWarningMs,
  };
}
