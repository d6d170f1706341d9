/** Draws the charts whose data stands in the page. */
/* global uPlot */

const HEIGHT_PX = 208;

export function startCharts() {
  if (typeof uPlot === "undefined") return;
  const charts = new Map();
  const drawAll = () => {
    for (const [place, chart] of charts) {
      if (place.isConnected) continue;
      chart.destroy();
      charts.delete(place);
    }
    for (const place of document.querySelectorAll("[data-chart]")) draw(place, charts);
  };
  const redrawAll = () => {
    for (const chart of charts.values()) chart.destroy();
    charts.clear();
    drawAll();
  };
  drawAll();
  document.addEventListener("posthouse:changed", drawAll);
  document.addEventListener("posthouse:theme", redrawAll);
  new ResizeObserver(() => {
    for (const [place, chart] of charts) {
      if (place.clientWidth > 0 && place.clientWidth !== chart.width) {
        chart.setSize({ width: place.clientWidth, height: HEIGHT_PX });
      }
    }
  }).observe(document.body);
}

function draw(place, charts) {
  const text = place.dataset.chart;
  const chart = charts.get(place);
  if (chart?.posthouseData === text) return;
  const { labels, columns } = JSON.parse(text);
  if (chart === undefined) {
    charts.set(place, create(place, { labels, columns }));
  } else {
    chart.setData(columns);
  }
  charts.get(place).posthouseData = text;
}

function create(place, { labels, columns }) {
  const colours = colourReader(place);
  const axis = {
    stroke: colours("--ink-faint"),
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: colours("--line"), width: 1 },
    ticks: { show: false },
  };
  const options = {
    width: place.clientWidth,
    height: HEIGHT_PX,
    padding: [10, 4, 0, 0],
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, _min, max) => [0, Math.max(4, max * 1.08)] } },
    axes: [
      { ...axis, grid: { show: false }, values: timeLabels, space: 64, size: 28 },
      { ...axis, size: 44, space: 36, values: (_, ticks) => ticks.map(shortNumber) },
    ],
    series: [
      {},
      ...labels.map(({ label, colour, fill }) => ({
        label,
        stroke: colours(colour),
        width: 1.6,
        points: { show: false },
        ...(fill ? { fill: transparent(colours(colour), 0.09) } : {}),
      })),
    ],
    hooks: { setCursor: [(chart) => showTip(place, chart)] },
  };
  return new uPlot(options, columns, place);
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

function timeLabels(_chart, ticks) {
  return ticks.map((seconds) => clock.format(new Date(seconds * 1000)));
}

function shortNumber(value) {
  if (value >= 1_000_000) return `${value / 1_000_000} M`;
  return value >= 10_000 ? `${value / 1_000} k` : String(value);
}

/** The values under the pointer, in the line of the chart's names. */
function showTip(place, chart) {
  const { idx } = chart.cursor;
  const figure = place.closest("figure");
  const time = figure?.querySelector("[data-chart-time]");
  if (!time) return;
  const at = idx === null || idx === undefined ? null : chart.data[0][idx];
  time.textContent = at === null ? "" : clock.format(new Date(at * 1000));
  figure.querySelectorAll("[data-chart-value]").forEach((element, index) => {
    const value = at === null ? null : chart.data[index + 1][idx];
    element.textContent = value === null || value === undefined
      ? element.dataset.chartValue
      : value.toLocaleString();
  });
}

/** Colours as they are now, with `light-dark()` decided. */
function colourReader(place) {
  const probe = document.createElement("span");
  probe.hidden = true;
  place.append(probe);
  return (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
}

function transparent(colour, alpha) {
  const [red, green, blue] = colour.match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}
