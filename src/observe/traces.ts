import { createHash } from "node:crypto";

/** Names a span across processes (W3C Trace Context 2). */
export interface SpanContext {
  /** 32 hexadecimal digits in lower case. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  /** 1 when it is sampled. */
  readonly traceFlags: number;
}

/** One step of a trace that is over. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: keyof typeof SPAN_KINDS;
  readonly parent: SpanContext;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Why it failed; null when it did not. */
  readonly failure: string | null;
}

/** Where finished spans go. It must not throw. */
export type SpanSink = (span: FinishedSpan) => void;

/** As OpenTelemetry numbers them. */
const SPAN_KINDS = { internal: 0, server: 1, client: 2 } as const;
const STATUS_ERROR = 2;

/** The key of a context under which OpenTelemetry's API keeps the span. */
const SPAN_KEY = Symbol.for("OpenTelemetry Context Key SPAN");

/** What is used of the runtime's tracer, which has no types of its own. */
interface RuntimeTracer {
  startSpan(
    name: string,
    options: { kind: number; startTime: number; attributes: FinishedSpan["attributes"] },
    context: { getValue(key: symbol): unknown },
  ): RuntimeSpan;
}

interface RuntimeSpan {
  setStatus(status: { code: number; message: string }): void;
  end(endTime: number): void;
}

/**
 * A sink for spans that the runtime exports. Only for a process that was started with
 * `OTEL_DENO=true`; the runtime's tracer fails elsewhere. It is what `@opentelemetry/api` would
 * find, so that no package is needed.
 */
export function runtimeSpanSink(): SpanSink {
  const tracer: RuntimeTracer = Deno.telemetry.tracerProvider.getTracer("posthouse");
  return ({ name, kind, parent, startMs, endMs, attributes, failure }) => {
    const remote = { spanContext: () => ({ ...parent, isRemote: true }) };
    const context = { getValue: (key: symbol) => key === SPAN_KEY ? remote : undefined };
    const options = { kind: SPAN_KINDS[kind], startTime: startMs, attributes };
    const span = tracer.startSpan(name, options, context);
    if (failure !== null) span.setStatus({ code: STATUS_ERROR, message: failure });
    span.end(endMs);
  };
}

/** Reads a `traceparent` (W3C Trace Context 3.2); null when it is not one. */
export function parseTraceparent(text: string): SpanContext | null {
  const fields = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text);
  const [, version = "", traceId = "", spanId = "", flags = "", rest] = fields ?? [];
  if (fields === null || version === "ff" || version === "00" && rest !== undefined) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}

/**
 * The context that all spans of a message have as their parent when nobody sent one. It follows
 * from the queue id, so that a message stays one trace across restarts and nodes without being
 * written down.
 */
export function traceOfMessage(messageId: string): SpanContext {
  const digest = createHash("sha256").update(messageId).digest("hex");
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48), traceFlags: 1 };
}
