/** The outlines of icons on a grid of 16. */
const OUTLINES = {
  overview: "M1.75 9h2.5l2-5.5 3.5 9 2-5 .75 1.5h2",
  queue: "M2 9.5 3.6 3h8.8L14 9.5V13H2V9.5h3.5l1 1.75h3l1-1.75H14",
  compose: "M9.5 3.5 12.5 6.5 6 13H3v-3zM8 5l3 3",
  destinations:
    "M8 14s4.5-4.4 4.5-7.8A4.4 4.4 0 0 0 8 1.9a4.4 4.4 0 0 0-4.5 4.3C3.5 9.6 8 14 8 14M8 7.75a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3",
  transports:
    "M1.5 11.5v-7h8v7M9.5 7H12l2.5 2.5v2M1.5 11.5h1.2M5.8 11.5h4.4M13.3 11.5h1.2M4.25 13a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M11.75 13a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3",
  suppressions: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M3.8 3.8l8.4 8.4",
  webhooks: "M9 1.75 3.5 9H8l-1 5.25L12.5 7H8z",
  routes: "M3 13.5V9a3 3 0 0 1 3-3h7M10 3l3 3-3 3M3 6V2.5",
  preflight: "M2.5 4.25 3.75 5.5 6 3M2.5 11.25l1.25 1.25L6 10M8.5 4.5h5M8.5 11.5h5",
  log: "M2.5 3.5h11M2.5 6.5h8M2.5 9.5h11M2.5 12.5h5.5",
  access: "M10.25 9.5a3.75 3.75 0 1 0-3.4-2.15L2 12.25V14h2.5v-1.75h1.75V10.5L7.5 9.2",
  warning: "M8 2.25 14.25 13.5H1.75zM8 6.5v3.25M8 11.6v.1",
  check: "M2.75 8.5 6 11.75 13.25 4.5",
  cross: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 7.5v3.5M8 4.9v.1",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 4.75V8l2.25 1.5",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2 12.5 8 5 12.8z",
  retry: "M13 8a5 5 0 1 1-1.6-3.7L13 5.7M13 2.5v3.2H9.8",
  menu: "M2 4.5h12M2 8h12M2 11.5h12",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9M10.3 10.3 14 14",
  theme: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 2v12M8 4.5h4.6M8 7.5h6M8 10.5h5.2",
  keyboard: "M1.5 4h13v8.5h-13zM4 6.75h.1M6.7 6.75h.1M9.3 6.75h.1M12 6.75h.1M5 9.75h6",
  arrow: "M3 8h10M9 4l4 4-4 4",
  down: "M3.5 6 8 10.5 12.5 6",
  inbox: "M2 9.5 3.6 3h8.8L14 9.5V13H2V9.5h3.5l1 1.75h3l1-1.75H14",
  file: "M4 1.75h5L12.5 5.25v9H4zM9 1.75v3.5h3.5",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  lock: "M3.5 7h9v6.5h-9zM5.25 7V4.9a2.75 2.75 0 0 1 5.5 0V7",
} as const;

export type IconName = keyof typeof OUTLINES;

/** A picture beside words; screen readers pass over it. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={OUTLINES[name]} />
    </svg>
  );
}

/** A house that is an open letter. */
export function BrandMark() {
  return (
    <svg class="brand-mark" width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <path
        class="brand-lines"
        d="M7 13.4 16 6.6l9 6.8v11.1H7zM7 13.8l9 5.9 9-5.9"
        fill="none"
        stroke-width="2"
        stroke-linejoin="round"
        stroke-linecap="round"
      />
    </svg>
  );
}
