/** Whether the runtime exports OpenTelemetry data; its tracer and meter fail where it does not. */
export function exportsTelemetry(): boolean {
  return /^(true|1)$/.test(Deno.env.get("OTEL_DENO") ?? "");
}
