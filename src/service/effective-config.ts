import type { Config } from '../config.ts';
import type { EffectiveConfig, ForwardingConfig } from '../doctor/observer/effective-config.ts';
import { describeListenAddress } from '../http/listen-address.ts';
import type { EdgeConfig } from '../settings/edge.ts';

/** What the doctor compares with what it observes. */
export function effectiveConfigOf(config: Config): EffectiveConfig {
  const { issuer, mtlsUrl, listen, edge } = config;
  return {
    issuer,
    mtls_url: mtlsUrl,
    ...forwardingConfigOf(config),
    listens_on: describeListenAddress(listen),
    edge: edge ? forwardingConfigOf(edge) : null,
  };
}

function forwardingConfigOf({
  terminator,
  proxyTrustDescription,
}: Pick<EdgeConfig, 'terminator' | 'proxyTrustDescription'>): ForwardingConfig {
  return {
    terminator: terminator.name,
    certificate_header: terminator.certificateHeader,
    chain_header: terminator.chainHeader ?? null,
    verification: terminator.verification,
    proxy_trust: proxyTrustDescription,
  };
}
