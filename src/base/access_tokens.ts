import type { Clock } from "./clock.ts";

/** What access tokens are asked for with (RFC 6749). */
export interface OAuthGrant {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Empty for a client that has none. */
  readonly clientSecret: string;
  /** With one, tokens are a user's (section 6); without, the client's own (section 4.4). */
  readonly refreshToken?: string;
  readonly scope?: string;
}

/**
 * Keeps the refresh token that took the place of the configured one (RFC 6749 section 6), which
 * may be worthless from then on.
 */
export interface RefreshTokenKeeper {
  /** The one that was kept last; null when none was. */
  read(): Promise<string | null>;
  /** Resolves once it is on disk, or could not be brought there. */
  keep(token: string): Promise<void>;
}

/** Posts a form to a token endpoint. */
export type PostForm = (url: string, form: URLSearchParams) => Promise<FormAnswer>;

/** What a token endpoint said. */
export type FormAnswer =
  | {
    readonly kind: "answered";
    readonly status: number;
    /** Undefined where the answer is none. */
    readonly json: unknown;
    /** How long the endpoint asks to wait. */
    readonly retryAfterMs?: number | undefined;
  }
  | { readonly kind: "failed"; readonly reason: string };

/** An access token, or why there is none. */
export type TokenResult =
  | { readonly kind: "token"; readonly text: string }
  | {
    readonly kind: "failed";
    readonly reason: string;
    /** Whether the endpoint said so, or said nothing. */
    readonly wasAnswered: boolean;
    readonly retryAfterMs?: number | undefined;
  };

interface Kept {
  readonly text: string;
  readonly freshUntilMs: number;
}

/** A token is replaced this long before it ends, so that it lasts for what it is for. */
const MARGIN_MS = 60_000;
const USUAL_LIFE_S = 3600;

export interface AccessTokensOptions {
  readonly post: PostForm;
  readonly clock: Clock;
  /** Absent keeps a new refresh token only as long as this object. */
  readonly keeper?: RefreshTokenKeeper;
}

/**
 * Access tokens of one account: fetched when first needed, kept until shortly before they end, and
 * fetched once however many wait for one.
 */
export class AccessTokens {
  readonly #grant: OAuthGrant;
  readonly #post: PostForm;
  readonly #clock: Clock;
  readonly #keeper: RefreshTokenKeeper | null;
  #refreshToken: string | undefined;
  #kept: Kept | null = null;
  #pending: Promise<TokenResult> | null = null;

  constructor(grant: OAuthGrant, { post, clock, keeper }: AccessTokensOptions) {
    this.#grant = grant;
    this.#post = post;
    this.#clock = clock;
    this.#refreshToken = grant.refreshToken;
    this.#keeper = grant.refreshToken === undefined ? null : keeper ?? null;
  }

  /** A token that is good for now. */
  fresh(): TokenResult | Promise<TokenResult> {
    const kept = this.#kept;
    if (kept !== null && this.#clock.now() < kept.freshUntilMs) {
      return { kind: "token", text: kept.text };
    }
    this.#pending ??= this.#fetchAny().finally(() => this.#pending = null);
    return this.#pending;
  }

  /** Forgets a token that a server refused. */
  refused(text: string): void {
    if (this.#kept?.text === text) this.#kept = null;
  }

  /** Another process may have got a new refresh token meanwhile, and ours is refused then. */
  async #fetchAny(): Promise<TokenResult> {
    if (this.#keeper === null) return await this.#fetch();
    await this.#recall(this.#keeper);
    const used = this.#refreshToken;
    const result = await this.#fetch();
    if (result.kind === "token" || !result.wasAnswered) return result;
    await this.#recall(this.#keeper);
    return this.#refreshToken === used ? result : await this.#fetch();
  }

  async #recall(keeper: RefreshTokenKeeper): Promise<void> {
    this.#refreshToken = await keeper.read() ?? this.#refreshToken;
  }

  async #fetch(): Promise<TokenResult> {
    const { tokenUrl } = this.#grant;
    const { host } = new URL(tokenUrl);
    const answer = await this.#post(tokenUrl, this.#form());
    if (answer.kind === "failed") {
      const reason = `no token from ${host}: ${answer.reason}`;
      return { kind: "failed", reason, wasAnswered: false };
    }
    const fields = fieldsOf(answer.json);
    const text = answer.status === 200 ? textOf(fields["access_token"]) : null;
    if (text !== null) return await this.#keep(text, fields);
    const why = [textOf(fields["error"]), textOf(fields["error_description"])];
    const words = [answer.status, ...why.filter((word) => word !== null)].join(" ");
    const { retryAfterMs } = answer;
    return { kind: "failed", reason: `${host} answered ${words}`, wasAnswered: true, retryAfterMs };
  }

  #form(): URLSearchParams {
    const { clientId, clientSecret, scope } = this.#grant;
    const form = new URLSearchParams({ client_id: clientId });
    if (clientSecret !== "") form.set("client_secret", clientSecret);
    if (this.#refreshToken === undefined) form.set("grant_type", "client_credentials");
    else {
      form.set("grant_type", "refresh_token");
      form.set("refresh_token", this.#refreshToken);
    }
    if (scope !== undefined) form.set("scope", scope);
    return form;
  }

  async #keep(text: string, fields: Readonly<Record<string, unknown>>): Promise<TokenResult> {
    const lifeMs = (Number(fields["expires_in"]) || USUAL_LIFE_S) * 1000;
    const freshMs = Math.max(lifeMs - MARGIN_MS, lifeMs / 2);
    // RFC 6749 section 6: a new refresh token takes the place of the old one.
    const renewed = textOf(fields["refresh_token"]);
    this.#kept = { text, freshUntilMs: this.#clock.now() + freshMs };
    if (this.#refreshToken !== undefined && renewed !== null && renewed !== this.#refreshToken) {
      this.#refreshToken = renewed;
      await this.#keeper?.keep(renewed);
    }
    return { kind: "token", text };
  }
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null ? json as Record<string, unknown> : {};
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
