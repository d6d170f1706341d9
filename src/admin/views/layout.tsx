import type { Child } from "hono/jsx";
import { assetPath } from "../assets/mod.ts";
import type { Caller } from "../env.ts";
import type { RelayInfo } from "../ports.ts";
import { BrandMark, Icon } from "./parts/icon.tsx";
import type { Place, PlaceGroup } from "./places.ts";
import type { Theme } from "./visit.tsx";

/** What the frame around a page shows. */
export interface LayoutProps {
  readonly title: string;
  readonly place: string;
  readonly path: string;
  readonly theme: Theme;
  readonly caller: Caller;
  readonly info: RelayInfo;
  readonly places: readonly PlaceGroup[];
  readonly liveMs?: number;
  readonly withCharts?: boolean;
  readonly children: Child;
}

/** A whole page. */
export function Layout(props: LayoutProps) {
  const { title, theme, info, places, place, caller, liveMs, withCharts, children } = props;
  return (
    <html lang="en" data-theme={theme === "auto" ? undefined : theme}>
      <Head title={`${title} · ${info.hostname}`} withCharts={withCharts === true} />
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <div class="frame" data-live={liveMs === undefined ? undefined : String(liveMs)}>
          <header class="bar">
            <button type="button" class="button quiet icon" popovertarget="rail">
              <Icon name="menu" />
              <span class="sr-only">Menu</span>
            </button>
            <span class="strong cut">{title}</span>
          </header>
          <div class="rail" id="rail" popover="auto">
            <Brand info={info} />
            <nav class="places" id="places" aria-label="Pages" data-live-part="">
              {places.map((group) => <Group group={group} current={place} />)}
            </nav>
            <Foot caller={caller} info={info} />
          </div>
          <main class="content" id="content" tabindex={-1}>{children}</main>
        </div>
        <KeyboardHelp places={places} />
      </body>
    </html>
  );
}

/** What every page of the dashboard has in its head, the one to sign in included. */
export function Head({ title, withCharts }: { title: string; withCharts: boolean }) {
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{title}</title>
      <link rel="icon" href={assetPath("icon.svg")} type="image/svg+xml" />
      <link rel="stylesheet" href={assetPath("dashboard.css")} />
      {withCharts && <script src={assetPath("uplot.js")} defer />}
      <script type="module" src={assetPath("dashboard.js")} />
    </head>
  );
}

function Brand({ info }: { info: RelayInfo }) {
  return (
    <a class="brand" href="/">
      <BrandMark />
      <span>
        <span class="brand-name">Posthouse</span>
        <span class="brand-host" title={info.hostname}>{info.hostname}</span>
      </span>
    </a>
  );
}

function Group({ group, current }: { group: PlaceGroup; current: string }) {
  return (
    <div>
      <div class="places-title">{group.title}</div>
      <ul>
        {group.places.map((place) => (
          <PlaceLink
            place={place}
            isCurrent={place.path === current}
          />
        ))}
      </ul>
    </div>
  );
}

function PlaceLink({ place, isCurrent }: { place: Place; isCurrent: boolean }) {
  const { path, name, icon, key, count } = place;
  return (
    <li>
      <a class="place" href={path} data-go={key} aria-current={isCurrent ? "page" : undefined}>
        <Icon name={icon} />
        {name}
        {count !== undefined && (
          <span class="place-count" data-tone={count.isBad ? "bad" : undefined}>
            {count.text}
            <span class="sr-only">{` ${count.says}`}</span>
          </span>
        )}
      </a>
    </li>
  );
}

function Foot({ caller, info }: { caller: Caller; info: RelayInfo }) {
  return (
    <div class="rail-foot">
      <div class="rail-foot-line">
        <span class="rail-who" title={`${caller.name}, ${caller.role}`}>
          {caller.name} · {caller.role}
        </span>
        {caller.kind === "user" && (
          <form method="post" action="/logout">
            <button type="submit" class="button quiet">Sign out</button>
          </form>
        )}
      </div>
      <div class="rail-foot-line">
        <span>Version {info.version}</span>
        <span class="button-row">
          <button type="button" class="button quiet icon" data-help-button hidden>
            <Icon name="keyboard" />
            <span class="sr-only">Keyboard shortcuts</span>
          </button>
          <button type="button" class="button quiet icon" data-theme-button hidden>
            <Icon name="theme" />
          </button>
        </span>
      </div>
    </div>
  );
}

const KEYS = [
  { keys: ["j"], does: "Next row" },
  { keys: ["k"], does: "Previous row" },
  { keys: ["Enter"], does: "Open the row" },
  { keys: ["x"], does: "Select the row" },
  { keys: ["/"], does: "Search" },
  { keys: ["r"], does: "Retry now" },
  { keys: ["?"], does: "This help" },
] as const;

function KeyboardHelp({ places }: { places: readonly PlaceGroup[] }) {
  const going = places.flatMap((group) => group.places)
    .map(({ key, name }) => ({ keys: ["g", key], does: name }));
  return (
    <dialog id="keyboard-help" aria-labelledby="keyboard-help-title" data-light-close>
      <header class="dialog-head">
        <h2 id="keyboard-help-title">Keyboard shortcuts</h2>
        <button type="button" class="button quiet icon" data-close-dialog>
          <Icon name="cross" />
          <span class="sr-only">Close</span>
        </button>
      </header>
      <div class="dialog-body keys">
        {[...KEYS, ...going].map(({ keys, does }) => (
          <div>
            <span>{does}</span>
            <span>{keys.map((key) => <kbd>{key}</kbd>)}</span>
          </div>
        ))}
      </div>
    </dialog>
  );
}
