import { createHash } from "node:crypto";
import uplotScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import iconImage from "./icon.svg" with { type: "text" };
import chartsScript from "./scripts/charts.js" with { type: "text" };
import controlsScript from "./scripts/controls.js" with { type: "text" };
import dashboardScript from "./scripts/dashboard.js" with { type: "text" };
import keysScript from "./scripts/keys.js" with { type: "text" };
import liveScript from "./scripts/live.js" with { type: "text" };
import morphScript from "./scripts/morph.js" with { type: "text" };
import themeScript from "./scripts/theme.js" with { type: "text" };
import timesScript from "./scripts/times.js" with { type: "text" };
import baseStyle from "./styles/base.css" with { type: "text" };
import layoutStyle from "./styles/layout.css" with { type: "text" };
import messageStyle from "./styles/message.css" with { type: "text" };
import overviewStyle from "./styles/overview.css" with { type: "text" };
import partsStyle from "./styles/parts.css" with { type: "text" };
import queueStyle from "./styles/queue.css" with { type: "text" };
import relayStyle from "./styles/relay.css" with { type: "text" };
import tokensStyle from "./styles/tokens.css" with { type: "text" };

/** A file of the dashboard, part of the program itself. */
export interface Asset {
  readonly contentType: string;
  readonly body: string;
}

const SCRIPT = "text/javascript; charset=utf-8";

/** Every file by its name. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["dashboard.css", {
    contentType: "text/css; charset=utf-8",
    body: [
      uplotStyle,
      tokensStyle,
      baseStyle,
      layoutStyle,
      partsStyle,
      overviewStyle,
      queueStyle,
      messageStyle,
      relayStyle,
    ].join("\n"),
  }],
  ["icon.svg", { contentType: "image/svg+xml", body: iconImage }],
  ...[
    ["uplot.js", uplotScript],
    ["charts.js", chartsScript],
    ["controls.js", controlsScript],
    ["dashboard.js", dashboardScript],
    ["keys.js", keysScript],
    ["live.js", liveScript],
    ["morph.js", morphScript],
    ["theme.js", themeScript],
    ["times.js", timesScript],
  ].map(([name = "", body = ""]): [string, Asset] => [name, { contentType: SCRIPT, body }]),
]);

/** Changes with any of the files, so that browsers may keep them for ever. */
const VERSION = createHash("sha256")
  .update([...ASSETS].flatMap(([name, { body }]) => [name, body]).join("\0"))
  .digest("hex").slice(0, 12);

/** Where a file is found. Scripts find each other beside themselves. */
export function assetPath(name: string): string {
  return `/assets/${VERSION}/${name}`;
}

/** Whether a path names this version of the files. */
export function isCurrentVersion(version: string): boolean {
  return version === VERSION;
}
