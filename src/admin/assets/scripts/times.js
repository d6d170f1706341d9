/** Shows times in the viewer's zone: how long ago in the text, exactly in the title. */

const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
const REFRESH_MS = 5_000;

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayWithYear = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** Keeps all times on the page right. */
export function startTimes() {
  showTimes();
  setInterval(() => {
    if (!document.hidden) showTimes();
  }, REFRESH_MS);
  document.addEventListener("posthouse:changed", showTimes);
}

function showTimes() {
  const now = new Date();
  for (const element of document.querySelectorAll("time[data-time]")) show(element, now);
}

function show(element, now) {
  const time = new Date(element.dateTime);
  if (Number.isNaN(time.getTime())) return;
  const text = textOf(time, { form: element.dataset.time, now });
  if (element.textContent !== text) element.textContent = text;
  const title = exact.format(time);
  if (element.title !== title) element.title = title;
}

function textOf(time, { form, now }) {
  if (form === "relative") return relative(time.getTime() - now.getTime());
  const isToday = time.toDateString() === now.toDateString();
  if (form === "clock") {
    return isToday ? clock.format(time) : `${day.format(time)} ${clock.format(time)}`;
  }
  return `${dayWithYear.format(time)}, ${clock.format(time)}`;
}

/** As the server writes it: `5 min ago`, `in 12 s`, `now`. */
function relative(differenceMs) {
  const seconds = Math.round(Math.abs(differenceMs) / 1000);
  if (seconds < 2) return "now";
  const [unit, size] = UNITS.find(([, size]) => seconds >= size);
  const text = `${Math.floor(seconds / size)} ${unit}`;
  return differenceMs < 0 ? `${text} ago` : `in ${text}`;
}
