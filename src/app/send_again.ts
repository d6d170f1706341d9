import type { Config } from "../config/schema.ts";
import type { SendAgainServices } from "../queue/send_again.ts";
import type { QueueStore } from "../queue/store.ts";
import type { MailSigning } from "./signing.ts";

/** What sending a message again needs, from the configuration. */
export function sendAgainServices(
  { queue: { expireMs, spoolThresholdBytes } }: Config,
  { store, nowMs, newId, signing }: {
    store: QueueStore;
    nowMs: number;
    newId: () => string;
    signing: MailSigning;
  },
): SendAgainServices {
  return {
    ...{ store, nowMs, newId, expireMs, spoolThresholdBytes },
    sign: (octets, origin) => signing.sign(octets, origin),
  };
}
