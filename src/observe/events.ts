/**
 * Everything that happens in the relay, one event a step. Logs, metrics, traces and the admin
 * API's stream are all made from these. Credentials and message content never enter them.
 */
export type RelayEvent =
  | SessionEvent
  | MessageEvent
  | DestinationEvent
  | ServiceEvent;

/** Steps of an SMTP session before and around its messages. */
export type SessionEvent =
  | {
    readonly type: "session_opened" | "session_closed";
    readonly sessionId: string;
    readonly listener: string;
    readonly clientAddress: string;
    readonly clientPort: number;
    /** For `session_closed`: why (`quit`, `timeout`, `lost`, `too_many_errors`, `shutdown` …). */
    readonly reason?: string;
    /** For `session_closed`: messages accepted in the session. */
    readonly messages?: number;
    /** For `session_closed`: the cause where the reason does not tell it. */
    readonly cause?: string;
  }
  /** A TLS handshake was made. */
  | {
    readonly type: "session_secured";
    readonly sessionId: string;
    readonly listener: string;
    readonly clientAddress: string;
    /** TLS version and cipher. */
    readonly tls: string;
    /** The name the client asked for. */
    readonly serverName?: string;
    /** The distinguished name of the client's certificate. */
    readonly clientCertificate?: string;
    readonly clientCertificateTrusted?: boolean;
    /** Who the certificate stands for. */
    readonly user?: string;
    /** Octets that the client, or somebody between, sent in clear text behind STARTTLS. */
    readonly discardedBytes?: number;
  }
  /** A client proved who it is. */
  | {
    readonly type: "authenticated";
    readonly sessionId: string;
    readonly listener: string;
    readonly clientAddress: string;
    readonly user: string;
    readonly mechanism: string;
    /** The device whose own password was used. */
    readonly device?: string;
  }
  /** A proxy told who its client is. */
  | {
    readonly type: "client_named";
    readonly sessionId: string;
    readonly listener: string;
    /** From XCLIENT on, the one it names. */
    readonly clientAddress: string;
    readonly command: "XCLIENT" | "XFORWARD";
    /** The address of the proxy. */
    readonly by: string;
    /** Values by the names of the command: `ADDR`, `HELO` … */
    readonly attributes: Readonly<Record<string, string>>;
  }
  /** A command was answered with 4xx or 5xx. */
  | {
    readonly type: "command_refused";
    readonly sessionId: string;
    readonly listener: string;
    readonly clientAddress: string;
    readonly verb: string;
    /** The reply on one line. */
    readonly reply: string;
    /** The cause where the reply does not tell it. */
    readonly cause?: string;
  };

/** What others tell of a message, or of a recipient, after a next hop took it. */
export const FEEDBACK_KINDS = [
  /** It reached the mailbox. */
  "delivered",
  /** Somebody behind the next hop still tries. */
  "deferred",
  /** It came back, and will come back again. */
  "bounced",
  /** It came back this time; the mailbox may be fine. */
  "soft_bounced",
  /** The recipient called it spam. */
  "complained",
  /** The recipient wants no more of the kind. */
  "unsubscribed",
] as const;
export type FeedbackKind = typeof FEEDBACK_KINDS[number];

/** Steps of a message. */
export type MessageEvent =
  /** It is on disk and the client was, or is about to be, told so. */
  | {
    readonly type: "accepted";
    readonly messageId: string;
    readonly sessionId?: string;
    readonly listener: string;
    readonly clientAddress: string;
    readonly reversePath: string;
    readonly recipients: number;
    readonly sizeBytes: number;
  }
  /** It was refused at or after the end of its data. */
  | {
    readonly type: "refused";
    readonly messageId: string;
    readonly listener: string;
    readonly clientAddress: string;
    readonly reversePath: string;
    readonly reply: string;
    readonly cause?: string;
  }
  /** One outcome of an attempt, for one recipient. */
  | {
    readonly type:
      | "delivered"
      | "deferred"
      | "bounced"
      | "expired"
      | "uncertain"
      /** No attempt was made: the recipient is on the suppression list. */
      | "suppressed";
    readonly messageId: string;
    readonly recipient: string;
    readonly transport: string;
    readonly destination: string;
    /** `host[address]:port`; empty when no peer was reached. */
    readonly remote: string;
    readonly tls?: string;
    readonly reply: string;
    readonly attempts: number;
    /** From acceptance to this outcome. */
    readonly delayMs: number;
    /** What the attempt took; absent when none was made. */
    readonly durationMs?: number;
    readonly nextAttemptAtMs?: number;
  }
  /** Somebody told what became of it after it was delivered, as far as this relay can tell. */
  | {
    readonly type: "feedback";
    /** Empty where it cannot be told which message it is about. */
    readonly messageId: string;
    readonly recipient: string;
    readonly kind: FeedbackKind;
    /** Who says so: `bounce`, `complaint`, the name of a provider. */
    readonly source: string;
    /** In a few words, as `550 5.1.1 No such mailbox` or `abuse`. */
    readonly reason: string;
    /** Set when the recipient was put on the suppression list for it. */
    readonly suppressed?: true;
    /** Set when anybody may have said so; nothing follows from it. */
    readonly unproven?: true;
  }
  /** A notification was queued (RFC 3464). */
  | {
    readonly type: "notified";
    readonly messageId: string;
    readonly notificationId: string;
    readonly action: "failed" | "delayed" | "delivered" | "relayed" | "expanded";
    readonly to: string;
  }
  /** An operator's or a rule's action. */
  | {
    readonly type:
      | "held"
      | "released"
      | "retried"
      | "cancelled"
      | "returned"
      | "rerouted"
      | "readdressed"
      | "deleted";
    readonly messageId: string;
    readonly by: string;
    readonly reason?: string;
  };

/** A destination changed how it is treated. */
export type DestinationEvent = {
  readonly type: "destination_down" | "destination_up";
  readonly transport: string;
  readonly destination: string;
  readonly reason: string;
  readonly retryAtMs?: number;
};

/** The relay itself. */
export type ServiceEvent =
  | { readonly type: "listening"; readonly listener: string; readonly address: string }
  | { readonly type: "started" | "reloaded" | "draining" | "stopped"; readonly detail?: string }
  /** Somebody did something through the admin API, the dashboard or the command line. */
  | {
    readonly type: "operated";
    readonly by: string;
    /** In words, as `paused` or `changed the role of`. */
    readonly action: string;
    /** What it was done to, as `transport backup` or `12 messages`. */
    readonly target: string;
    readonly reason?: string;
  }
  /** Something an operator should look at. */
  | {
    readonly type: "trouble";
    readonly level: "warning" | "error";
    readonly component: string;
    readonly message: string;
    readonly messageId?: string;
    readonly cause?: unknown;
  };

/** A sink is a function. It must not throw and must not block. */
export type EventSink = (event: RelayEvent) => void;

/** Hands each event to every sink. One that throws all the same is reported to the others. */
export function fanOut(sinks: readonly EventSink[]): EventSink {
  const tell = (event: RelayEvent, to: readonly EventSink[]): void => {
    for (const sink of to) {
      try {
        sink(event);
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        const trouble = { type: "trouble", level: "error", component: "events" } as const;
        tell({ ...trouble, message, cause }, to.filter((other) => other !== sink));
      }
    }
  };
  return (event) => tell(event, sinks);
}
