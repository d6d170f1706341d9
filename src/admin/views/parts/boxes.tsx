import type { Child } from "hono/jsx";
import { Icon, type IconName } from "./icon.tsx";
import type { Tone } from "./state.tsx";

/** A titled part of a page. */
export function Panel(
  { title, note, id, children, live = false }: {
    title: string;
    /** Said at the other end of the title's line. */
    note?: Child;
    id: string;
    children?: Child;
    /** Whether it follows the relay by itself. */
    live?: boolean;
  },
) {
  return (
    <section
      class="panel"
      id={id}
      aria-labelledby={`${id}-title`}
      data-live-part={live ? "" : undefined}
    >
      <header class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {note !== undefined && <div class="panel-note">{note}</div>}
      </header>
      {children}
    </section>
  );
}

/** What stands where nothing is, and what to do next. */
export function Empty(
  { icon, title, tight = false, children }: {
    icon?: IconName;
    title: string;
    tight?: boolean;
    children?: Child;
  },
) {
  return (
    <div class={tight ? "empty tight" : "empty"}>
      {icon !== undefined && <Icon name={icon} size={28} />}
      <strong>{title}</strong>
      {children}
    </div>
  );
}

const NOTICE_ICONS: Readonly<Record<Tone, IconName>> = {
  good: "check",
  bad: "warning",
  warn: "warning",
  wait: "info",
  hold: "pause",
  idle: "info",
};

/** Something said once, at the top of a page. */
export function Notice({ tone, children }: { tone: Tone; children?: Child }) {
  return (
    <div class="notice" data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      <Icon name={NOTICE_ICONS[tone]} />
      <div>{children}</div>
    </div>
  );
}

/** Parts of a whole, side by side. */
export function Share(
  { parts, label }: {
    parts: readonly { readonly value: number; readonly tone: Tone }[];
    /** What it shows, in words. */
    label: string;
  },
) {
  const whole = parts.reduce((sum, { value }) => sum + value, 0);
  let left = 0;
  const bars = whole === 0 ? [] : parts.filter(({ value }) => value > 0).map(({ value, tone }) => {
    const width = value / whole * 100;
    const x = left;
    left += width;
    return { x, width, tone };
  });
  return (
    <svg class="share" role="img" aria-label={label}>
      {bars.map(({ x, width, tone }) => (
        <rect
          x={`${x.toFixed(2)}%`}
          width={`${width.toFixed(2)}%`}
          height="100%"
          data-tone={tone}
        />
      ))}
    </svg>
  );
}
