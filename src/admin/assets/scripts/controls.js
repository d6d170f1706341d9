/** Small helps: pick all rows, copy, ask before acting, filter when a choice is made. */

export function startControls() {
  document.addEventListener("change", onChange);
  document.addEventListener("click", onClick);
  document.addEventListener("posthouse:changed", countPicked);
  addEventListener("pageshow", countPicked);
  countPicked();
}

function onChange({ target }) {
  if (target.matches("[data-pick-all]")) {
    for (const box of picks()) box.checked = target.checked;
  }
  if (target.matches("[data-pick-all], [data-pick]")) countPicked();
  if (target.matches("[data-submit-on-change]")) target.form.requestSubmit();
}

function picks() {
  return [...document.querySelectorAll("[data-pick]")];
}

/** Says whether the buttons act on what is picked or on everything that fits. */
function countPicked() {
  const all = picks();
  const picked = all.filter((box) => box.checked).length;
  for (const element of document.querySelectorAll("[data-picked]")) {
    element.textContent = picked === 0 ? element.dataset.picked : `${picked} picked`;
  }
  const head = document.querySelector("[data-pick-all]");
  if (head === null) return;
  head.checked = picked > 0 && picked === all.length;
  head.indeterminate = picked > 0 && picked < all.length;
}

function onClick(event) {
  const close = event.target.closest("[data-close-dialog]");
  if (close !== null) close.closest("dialog")?.close();
  const copy = event.target.closest("[data-copy]");
  if (copy !== null) copyText(copy);
  const dialog = event.target.closest("dialog[data-light-close]");
  if (dialog !== null && event.target === dialog) dialog.close();
}

async function copyText(button) {
  const said = button.querySelector("[data-copy-said]") ?? button;
  const before = said.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    said.textContent = "Copied";
  } catch {
    said.textContent = "Not allowed";
  }
  setTimeout(() => said.textContent = before, 1_500);
}
