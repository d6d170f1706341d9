import type { MxTransportConfig } from "../config/sections/transports.ts";
import type { TlsConfig, TlsRuleConfig } from "../config/sections/transport_tls.ts";
import type { TlsRule, TlsRules } from "../delivery/tls/rules.ts";

/** The TLS rules of a transport whose servers are given. */
export function tlsRules(
  { rule, implicit, minVersion, ca, clientCertificate }: TlsConfig,
): TlsRules {
  return {
    rule: tlsRule(rule),
    settings: {
      implicit,
      minVersion,
      ...(ca === null ? {} : { ca: [ca] }),
      ...(clientCertificate === null ? {} : { clientCertificate }),
    },
  };
}

/** The TLS rules of a transport that finds servers in the DNS. */
export function mxTlsRules({ tls, tlsOverrides, dane, mtaSts }: MxTransportConfig): TlsRules {
  return {
    ...tlsRules(tls),
    overrides: tlsOverrides.map(({ domain, rule }) => ({ domain, rule: tlsRule(rule) })),
    dane,
    mtaSts,
  };
}

function tlsRule({ level, names, fingerprints }: TlsRuleConfig): TlsRule {
  return { level, ...(names === null ? {} : { names }), fingerprints };
}
