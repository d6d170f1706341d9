/** An OAuth 2.0 server of a test: a token endpoint (RFC 6749), and what Dovecot asks of tokens. */
export interface TokenServer extends AsyncDisposable {
  /** For clients. */
  readonly tokenUrl: string;
  /** For servers: the token goes behind it. */
  readonly tokenInfoUrl: string;
  /** What clients asked for, a form each. */
  readonly grants: readonly Readonly<Record<string, string>>[];
}

/** Starts one; the tokens it gives are `tokens` in turn, of which those in `valid` are good. */
export function startTokenServer(
  { user, tokens, valid }: {
    user: string;
    tokens: readonly string[];
    valid: readonly string[];
  },
): TokenServer {
  const grants: Record<string, string>[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/tokeninfo") {
      const isValid = valid.includes(searchParams.get("access_token") ?? "");
      return Response.json(isValid ? { user, active: "yes" } : { active: "no" });
    }
    const form = new URLSearchParams(await request.text());
    const given = tokens[Math.min(grants.length, tokens.length - 1)];
    grants.push(Object.fromEntries(form));
    return Response.json({ access_token: given, expires_in: 3600, token_type: "Bearer" });
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return {
    tokenUrl: `${origin}/token`,
    tokenInfoUrl: `${origin}/tokeninfo?access_token=`,
    grants,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
