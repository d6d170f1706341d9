import type { EventSink, RelayEvent } from "./events.ts";
import { Counter, Gauge, Histogram, type Metric } from "./prometheus.ts";

/** From a fast next hop to the four days after which mail is given up by default. */
const DELAY_BOUNDS_SECONDS = [
  0.01,
  0.05,
  0.1,
  0.5,
  1,
  5,
  15,
  60,
  300,
  900,
  3600,
  14_400,
  86_400,
  345_600,
];

/** Clients can send any word as a verb; these are counted by name. */
const VERBS = new Set(
  ("HELO EHLO MAIL RCPT DATA BDAT RSET VRFY EXPN HELP NOOP QUIT AUTH STARTTLS ETRN TURN SEND " +
    "SOML SAML XCLIENT XFORWARD").split(" "),
);

/** Destinations that are remembered as down, in number. */
const MAX_DOWN = 10_000;

/** Metrics that are counted from events, and the sink that counts them. */
export function eventMetrics(): { readonly sink: EventSink; readonly metrics: readonly Metric[] } {
  const session = sessionMetrics();
  const intake = intakeMetrics();
  const delivery = deliveryMetrics();
  const destination = destinationMetrics();
  const troubles = new Counter({
    name: "posthouse_troubles_total",
    help: "Problems that an operator should look at.",
    labels: ["component", "level"],
  });
  const sink: EventSink = (event) => {
    session.sink(event);
    intake.sink(event);
    delivery.sink(event);
    destination.sink(event);
    if (event.type === "trouble") troubles.add([event.component, event.level]);
  };
  const metrics = [session, intake, delivery, destination].flatMap((part) => part.metrics);
  return { sink, metrics: [...metrics, troubles] };
}

interface Part {
  readonly sink: EventSink;
  readonly metrics: readonly Metric[];
}

function sessionMetrics(): Part {
  const total = new Counter({
    name: "posthouse_sessions_total",
    help: "SMTP sessions that were opened.",
    labels: ["listener"],
  });
  const open = new Gauge({
    name: "posthouse_sessions_open",
    help: "SMTP sessions that are open.",
    labels: ["listener"],
  });
  const refused = new Counter({
    name: "posthouse_commands_refused_total",
    help: "Commands answered with 4xx or 5xx.",
    labels: ["listener", "verb", "code"],
  });
  const sink = (event: RelayEvent): void => {
    switch (event.type) {
      case "session_opened":
        total.add([event.listener]);
        open.add([event.listener], 1);
        return;
      case "session_closed":
        open.add([event.listener], -1);
        return;
      case "command_refused":
        refused.add([
          event.listener,
          VERBS.has(event.verb) ? event.verb : "other",
          codeOf(event.reply),
        ]);
    }
  };
  return { sink, metrics: [total, open, refused] };
}

function intakeMetrics(): Part {
  const labels = ["listener"];
  const messages = new Counter({
    name: "posthouse_messages_accepted_total",
    help: "Messages that were accepted, each after it was on disk.",
    labels,
  });
  const recipients = new Counter({
    name: "posthouse_recipients_accepted_total",
    help: "Recipients of accepted messages.",
    labels,
  });
  const octets = new Counter({
    name: "posthouse_accepted_bytes_total",
    help: "Octets of accepted messages.",
    labels,
  });
  const refused = new Counter({
    name: "posthouse_messages_refused_total",
    help: "Messages that were refused at or after the end of their data.",
    labels: ["listener", "code"],
  });
  const sink = (event: RelayEvent): void => {
    if (event.type === "accepted") {
      const values = [event.listener];
      messages.add(values);
      recipients.add(values, event.recipients);
      octets.add(values, event.sizeBytes);
    } else if (event.type === "refused") {
      refused.add([event.listener, codeOf(event.reply)]);
    }
  };
  return { sink, metrics: [messages, recipients, octets, refused] };
}

function deliveryMetrics(): Part {
  const deliveries = new Counter({
    name: "posthouse_deliveries_total",
    help: "Outcomes of delivery attempts, one for each recipient.",
    labels: ["transport", "outcome"],
  });
  const delay = new Histogram({
    name: "posthouse_delivery_delay_seconds",
    help: "From acceptance to delivery, for each recipient.",
    labels: ["transport"],
    bounds: DELAY_BOUNDS_SECONDS,
  });
  const feedback = new Counter({
    name: "posthouse_feedback_total",
    help: "Feedback about recipients after delivery.",
    labels: ["source", "kind"],
  });
  const notifications = new Counter({
    name: "posthouse_notifications_total",
    help: "Delivery status notifications that were queued.",
    labels: ["action"],
  });
  const actions = new Counter({
    name: "posthouse_operator_actions_total",
    help: "Messages that an operator or a rule held, released, retried, cancelled and so on.",
    labels: ["action"],
  });
  const sink = (event: RelayEvent): void => {
    switch (event.type) {
      case "delivered":
        delay.observe([event.transport], event.delayMs / 1000);
        deliveries.add([event.transport, event.type]);
        return;
      case "deferred":
      case "bounced":
      case "expired":
      case "uncertain":
      case "suppressed":
        deliveries.add([event.transport, event.type]);
        return;
      case "feedback":
        feedback.add([event.source, event.kind]);
        return;
      case "notified":
        notifications.add([event.action]);
        return;
      case "held":
      case "released":
      case "retried":
      case "cancelled":
      case "returned":
      case "rerouted":
      case "readdressed":
      case "deleted":
        actions.add([event.type]);
    }
  };
  return { sink, metrics: [deliveries, delay, feedback, notifications, actions] };
}

function destinationMetrics(): Part {
  const gauge = new Gauge({
    name: "posthouse_destinations_down",
    help: "Destinations that are down.",
    labels: ["transport"],
  });
  const down = new Set<string>();
  const sink = (event: RelayEvent): void => {
    if (event.type !== "destination_down" && event.type !== "destination_up") return;
    const key = `${event.transport}\0${event.destination}`;
    const isDown = event.type === "destination_down";
    if (isDown === down.has(key) || (isDown && down.size >= MAX_DOWN)) return;
    if (isDown) down.add(key);
    else down.delete(key);
    gauge.add([event.transport], isDown ? 1 : -1);
  };
  return { sink, metrics: [gauge] };
}

/** The reply code at the start of a formatted reply. */
function codeOf(reply: string): string {
  return /^[2-5]\d\d/.exec(reply)?.[0] ?? "other";
}
