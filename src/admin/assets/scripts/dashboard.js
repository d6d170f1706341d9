/** Everything the dashboard's pages do in the browser; all pages work without it. */
import { startCharts } from "./charts.js";
import { startControls } from "./controls.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";

startTheme();
startTimes();
startCharts();
startControls();
startKeys();
startLive();
