import type { RouteTrace, RouteTraceWay } from "../../admin/ports.ts";
import type { Carriage, MessageTrace } from "../../app/explain/losses.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import type { CliIo } from "../io.ts";
import { type Style, styleOf } from "../style.ts";
import { printable } from "../text.ts";

/** Writes where a message would go, and how, for people. */
export function writeTrace(io: CliIo, trace: RouteTrace | MessageTrace): void {
  const style = styleOf(io);
  if (trace.aliasOf.length > 0) {
    const members = trace.aliasOf.map(printable).join(", ");
    io.out(style.yellow(`The recipient is an alias for ${members}; explain those instead.\n`));
  }
  for (const check of trace.checks) io.out(checkLine(check, style));
  for (const { route, fits, reason } of trace.steps) {
    const mark = fits ? style.green("fits") : style.dim("does not fit");
    io.out(`${printable(route)} ${mark}: ${printable(reason)}\n`);
  }
  if (trace.route === null) {
    io.out(`${style.red("No route matches")}; the mail would be deferred.\n`);
    return;
  }
  io.out(modeLine(trace, style));
  if (trace.suppressed !== null) io.out(suppressedLine(trace.suppressed, style));
  trace.transports.forEach((way, index) => writeWay(io, { way, index, style }));
  for (const { domain, selector, algorithm } of trace.dkim) {
    io.out(`\nSigned by ${domain}, selector ${selector} (${algorithm})`);
  }
  io.out(trace.dkim.length === 0 ? "\nNot signed: no key matches its author.\n" : "\n");
  if (trace.transports.length > 0) io.out(bounceLine(trace.bounce));
}

function checkLine(
  { stage, check, verdict, reply, cause }: RouteTrace["checks"][number],
  style: Style,
): string {
  const mark = verdict === "refuses" ? style.red(verdict) : style.dim(verdict);
  const why = [reply, cause].filter(Boolean).map(printable).join("; ");
  return `${stage.toUpperCase()} ${check} ${mark}${why === "" ? "" : `: ${why}`}\n`;
}

function suppressedLine(
  { reason, source }: NonNullable<RouteTrace["suppressed"]>,
  style: Style,
): string {
  const why = [source, reason].filter(Boolean).map(printable).join(": ");
  return style.red(`It would be refused: the recipient is suppressed (${why}).\n`);
}

function bounceLine({ to, route, mode, transports }: RouteTrace["bounce"]): string {
  if (to === null) return "If it fails, no notification is sent: it has no sender.\n";
  const told = `If it fails, ${printable(to)} is notified`;
  if (route === null) {
    return `${told}; no route matches the notification, which would be deferred.\n`;
  }
  const by = `${told}, by route ${printable(route)}`;
  if (mode === "hold") return `${by}, which holds it.\n`;
  if (mode === "capture") return `${by}, which captures it.\n`;
  const redirected = mode === "redirect" ? ", redirected as well" : "";
  return `${by} by ${transports.map(printable).join(", ")}${redirected}.\n`;
}

function modeLine({ mode, redirect }: RouteTrace, style: Style): string {
  switch (mode) {
    case "hold":
      return style.yellow("It would be held for an operator.\n");
    case "capture":
      return style.yellow("It would be captured: kept here and not sent.\n");
    case "redirect":
      return style.yellow(`It would be redirected to ${printable(redirect ?? "")}.\n`);
    default:
      return "";
  }
}

function writeWay(
  io: CliIo,
  { way, index, style }: {
    way: RouteTraceWay | MessageTrace["transports"][number];
    index: number;
    style: Style;
  },
): void {
  const weight = way.weight === null ? "" : `, weight ${way.weight}`;
  const state = way.state === "up" || way.state === "unknown"
    ? way.state
    : style.red(`${way.state}: ${printable(way.reason)}`);
  io.out(`\n${index + 1}. ${style.bold(printable(way.name))} (${way.kind}${weight}) `);
  io.out(`to ${printable(way.destination)}, ${state}\n   TLS: ${way.tls}\n`);
  io.out(`   return path: ${way.returnPath === "" ? "<>" : printable(way.returnPath)}\n`);
  if (way.sourceAddresses.length > 0) io.out(`   from: ${way.sourceAddresses.join(", ")}\n`);
  if (way.proxy !== null) io.out(`   proxy: ${printable(way.proxy)}\n`);
  for (const host of way.hosts) io.out(`   ${hostLine(host, style)}\n`);
  for (const { rule, limit } of way.limits) {
    io.out(`   limit: ${limit} (${printable(rule)})\n`);
  }
  if ("message" in way) io.out(`   message: ${messageLine(way.message, style)}\n`);
}

function messageLine(message: Carriage | null, style: Style): string {
  if (message === null) return "as it is, or encoded for what the next hop takes";
  const lost = message.losses.map(({ what }) => printable(what)).join(", ");
  if (message.kind === "refused") {
    const reason = `refused, the next transport is tried: ${printable(message.reason)}`;
    return style.red(lost === "" ? reason : `${reason} (${lost})`);
  }
  return lost === "" ? "nothing is lost" : style.yellow(`changed: ${lost}`);
}

function hostLine(
  { host, port, preference, addresses, problem, tls }: RouteTraceWay["hosts"][number],
  style: Style,
): string {
  const place = port === 0 ? host : formatEndpoint({ address: host, port });
  const rank = preference === null ? "" : `MX ${preference} `;
  const found = problem === "" ? addresses.join(", ") : style.red(problem);
  const secured = tls === "" ? "" : `; ${printable(tls)}`;
  return `${rank}${printable(place)}: ${printable(found)}${secured}`;
}
