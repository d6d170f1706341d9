/** The keyboard: `j` and `k` move through rows, `g` and a letter goes places, `?` tells the rest. */

const CHORD_MS = 1_200;

export function startKeys() {
  let goPressedAtMs = -Infinity;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const isChord = event.timeStamp - goPressedAtMs < CHORD_MS;
    goPressedAtMs = !isChord && event.key === "g" ? event.timeStamp : -Infinity;
    const isDone = isChord ? go(event.key) : press(event.key);
    if (isDone) event.preventDefault();
  });
  for (const button of document.querySelectorAll("[data-help-button]")) {
    button.hidden = false;
    button.addEventListener("click", showHelp);
  }
}

function isTyping(target) {
  return target instanceof HTMLElement &&
      (target.isContentEditable ||
        target.matches("input:not([type=checkbox]), textarea, select")) ||
    document.querySelector("dialog[open]") !== null;
}

function go(key) {
  const place = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
  place?.click();
  return place !== null;
}

function press(key) {
  switch (key) {
    case "j":
      return moveRow(1);
    case "k":
      return moveRow(-1);
    case "x":
      return toggleRow();
    case "/":
      return focus("[data-search]");
    case "?":
      showHelp();
      return true;
    default: {
      const button = document.querySelector(`main [data-key="${CSS.escape(key)}"]`);
      button?.click();
      return button !== null;
    }
  }
}

/** Rows are found by the link in them; Enter follows it, as on every link. */
function moveRow(step) {
  const links = [...document.querySelectorAll("[data-row-link]")];
  if (links.length === 0) return false;
  const now = links.findIndex((link) =>
    link.closest("[data-row]")?.contains(document.activeElement)
  );
  const next = now < 0 ? (step > 0 ? 0 : links.length - 1) : now + step;
  const link = links[Math.min(links.length - 1, Math.max(0, next))];
  link.focus();
  link.closest("[data-row]")?.scrollIntoView({ block: "nearest" });
  return true;
}

function toggleRow() {
  const box = document.activeElement?.closest("[data-row]")?.querySelector("input[type=checkbox]");
  box?.click();
  return Boolean(box);
}

function focus(selector) {
  const element = document.querySelector(selector);
  element?.closest("details")?.setAttribute("open", "");
  element?.focus();
  element?.select?.();
  return element !== null;
}

function showHelp() {
  const dialog = document.querySelector("#keyboard-help");
  if (dialog !== null && !dialog.open) dialog.showModal();
}
