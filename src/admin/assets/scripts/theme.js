/** Light, dark, or as the system has it; the choice is kept in a cookie, so pages arrive in it. */

const NEXT = { auto: "light", light: "dark", dark: "auto" };
const YEAR_S = 365 * 86_400;

export function startTheme() {
  for (const button of document.querySelectorAll("[data-theme-button]")) {
    button.hidden = false;
    label(button);
    button.addEventListener("click", () => {
      choose(NEXT[chosen()]);
      for (const each of document.querySelectorAll("[data-theme-button]")) label(each);
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announce);
}

function chosen() {
  return document.documentElement.dataset.theme ?? "auto";
}

function choose(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  document.cookie = `posthouse_theme=${theme}; path=/; max-age=${YEAR_S}; samesite=strict`;
  announce();
}

function label(button) {
  const text = { auto: "Colours as the system", light: "Light colours", dark: "Dark colours" };
  button.title = text[chosen()];
  button.setAttribute("aria-label", `${text[chosen()]}. Change.`);
  button.dataset.chosen = chosen();
}

function announce() {
  document.dispatchEvent(new CustomEvent("posthouse:theme"));
}
