/**
 * Pages that follow the relay: an event says that something changed, then the page is asked for
 * again, at most once in `data-live` milliseconds, and the parts marked `data-live-part` take on
 * their new form. Nothing is kept but the page itself, so it can stand open for weeks.
 */
import { morph } from "./morph.js";

const CHANGES = "/live";
/** Ages grow also when nothing happens. */
const QUIET_MS = 15_000;
const RECONNECT_MS = 5_000;

export function startLive() {
  const page = document.querySelector("[data-live]");
  if (page === null) return;
  for (const button of document.querySelectorAll("[data-live-toggle]")) button.hidden = false;
  new Follower(Number(page.dataset.live)).start();
}

class Follower {
  #everyMs;
  #source = null;
  #timer = null;
  #isAsking = false;
  #lastAskedAtMs = performance.now();

  constructor(everyMs) {
    this.#everyMs = everyMs;
  }

  start() {
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#pause();
      else this.#follow();
    });
    addEventListener("pagehide", () => this.#pause());
    document.addEventListener("click", (event) => {
      if (event.target.closest("[data-live-toggle]")) this.#toggle();
    });
    if (!document.hidden) this.#connect();
  }

  #follow() {
    this.#askSoon(0);
    this.#connect();
  }

  #connect() {
    if (this.#source !== null || isPaused()) return;
    const source = new EventSource(CHANGES);
    this.#source = source;
    source.addEventListener("open", () => say("on"));
    source.addEventListener("error", () => this.#onError(source));
    source.addEventListener("changed", () => this.#askSoon(0));
    this.#askSoon(QUIET_MS);
  }

  #onError(source) {
    say("off");
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    this.#disconnect();
    setTimeout(() => {
      if (!document.hidden) this.#connect();
    }, RECONNECT_MS);
  }

  #disconnect() {
    this.#source?.close();
    this.#source = null;
  }

  #pause() {
    this.#disconnect();
    clearTimeout(this.#timer?.id);
    this.#timer = null;
  }

  #toggle() {
    const root = document.documentElement;
    root.toggleAttribute("data-live-paused");
    if (isPaused()) {
      this.#pause();
      say("paused");
    } else {
      this.#follow();
    }
  }

  /** Asks for the page after `waitMs`, but not sooner than `everyMs` after the last time. */
  #askSoon(waitMs) {
    const nowMs = performance.now();
    const atMs = Math.max(nowMs + waitMs, this.#lastAskedAtMs + this.#everyMs);
    if (this.#timer !== null && this.#timer.atMs <= atMs) return;
    clearTimeout(this.#timer?.id);
    this.#timer = { id: setTimeout(() => this.#ask(), atMs - nowMs), atMs };
  }

  async #ask() {
    this.#timer = null;
    if (document.hidden || isPaused()) return;
    if (this.#isAsking) return this.#askSoon(this.#everyMs);
    this.#isAsking = true;
    this.#lastAskedAtMs = performance.now();
    try {
      await renew();
    } catch {
      say("off"); // the relay does not answer; the event source says when it does again
    } finally {
      this.#isAsking = false;
      this.#askSoon(QUIET_MS);
    }
  }
}

function isPaused() {
  return document.documentElement.hasAttribute("data-live-paused");
}

async function renew() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (response.redirected && new URL(response.url).pathname === "/login") {
    location.assign(response.url);
    return;
  }
  if (!response.ok) throw new Error(`status ${response.status}`);
  const wanted = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live-part]")) {
    const now = wanted.getElementById(part.id);
    if (now !== null) morph(part, document.adoptNode(now));
  }
  document.dispatchEvent(new CustomEvent("posthouse:changed"));
}

const WORDS = { on: "Live", off: "Reconnecting", paused: "Paused" };

function say(state) {
  for (const element of document.querySelectorAll("[data-live-state]")) {
    element.dataset.state = state;
    element.textContent = WORDS[state];
  }
}
