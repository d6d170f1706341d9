import type { Clock } from "../base/clock.ts";
import type { EventSink } from "../observe/events.ts";
import type { Shelf } from "../queue/shelf.ts";
import { MailgunSource } from "./mailgun/source.ts";
import { PostmarkSource } from "./postmark/source.ts";
import { ResendSource } from "./resend/source.ts";
import { SendgridSource } from "./sendgrid/source.ts";
import { SesSource } from "./ses/source.ts";
import type { Fetch } from "./ses/visit.ts";
import type { EventSource } from "./source.ts";

/** A source as the configuration says it. */
export type SourceSettings =
  | { readonly provider: "mailgun"; readonly name: string; readonly signingKey: string }
  | { readonly provider: "sendgrid"; readonly name: string; readonly publicKey: string }
  | { readonly provider: "postmark"; readonly name: string; readonly secret: string }
  | { readonly provider: "resend"; readonly name: string; readonly signingSecret: string }
  | { readonly provider: "ses"; readonly name: string; readonly topics: readonly string[] };

/** What sources need besides. */
export interface SourceServices {
  readonly shelf: Shelf;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly events: EventSink;
}

/**
 * Makes a source.
 *
 * @throws Error when a key is none; the configuration is checked for that before.
 */
export function createSource(settings: SourceSettings, services: SourceServices): EventSource {
  switch (settings.provider) {
    case "mailgun":
      return new MailgunSource({ ...settings, ...services });
    case "sendgrid":
      return new SendgridSource(settings);
    case "postmark":
      return new PostmarkSource(settings);
    case "resend":
      return new ResendSource(settings);
    case "ses":
      return new SesSource({ ...settings, ...services });
  }
}
