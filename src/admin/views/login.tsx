import { raw } from "hono/html";
import { Notice } from "./parts/boxes.tsx";
import { BrandMark } from "./parts/icon.tsx";
import { Head } from "./layout.tsx";

/** What the page to sign in shows. */
export interface LoginView {
  readonly hostname: string;
  /** Where to go afterwards; a path of ours. */
  readonly next: string;
  /** Why the last try failed. */
  readonly message?: string;
}

/** The page to sign in, whole. */
export async function loginView({ hostname, next, message }: LoginView): Promise<string> {
  const page = (
    <html lang="en">
      <Head title={`Sign in · ${hostname}`} withCharts={false} />
      <body class="door">
        <main class="door-panel">
          <header class="door-head">
            <BrandMark />
            <div>
              <h1>Posthouse</h1>
              <p class="soft wrap">{hostname}</p>
            </div>
          </header>
          {message !== undefined && <Notice tone="bad">{message}</Notice>}
          <form class="stack tight" method="post" action="/login">
            <input type="hidden" name="next" value={next} />
            <div class="field">
              <label for="name">Name</label>
              <input
                class="input"
                id="name"
                name="name"
                autocomplete="username"
                autocapitalize="none"
                spellcheck={false}
                autofocus
                aria-describedby="hint"
              />
            </div>
            <div class="field">
              <label for="password">Password</label>
              <input
                class="input"
                id="password"
                name="password"
                type="password"
                autocomplete="current-password"
                required
              />
            </div>
            <button type="submit" class="button primary">Sign in</button>
            <p class="field-hint" id="hint">
              To sign in with an API key, leave the name empty and enter the key as the password.
            </p>
          </form>
        </main>
      </body>
    </html>
  );
  return `${raw("<!DOCTYPE html>")}${await page}`;
}
