import type { CrlConfig } from '../pki/crl/crl-checker.ts';
import type { ChainVerification, Terminator } from '../terminator/terminator.ts';
import { counted } from '../text.ts';
import type { ClientCa } from './client-ca.ts';

interface DescribedConfig {
  readonly terminator: Terminator;
  readonly proxyTrustDescription: string;
  readonly clientCa: ClientCa | undefined;
  readonly crl: CrlConfig | undefined;
}

/** The effective configuration of the terminator in one clause: format, header, who verifies the chain, trusted proxies. */
export function describeEffectiveConfig({ terminator, proxyTrustDescription, clientCa, crl }: DescribedConfig): string {
  const { name, certificateHeader, verification } = terminator;
  const verifier = describeVerification(verification, clientCa);
  const crlMode = crl ? `, ${describeCrlPolicy(crl)}` : '';
  return `client certificate: ${name} in ${certificateHeader}, chain ${verifier}${crlMode}, ${proxyTrustDescription}`;
}

function describeCrlPolicy({ policy: { byDefault, byCa } }: CrlConfig): string {
  const exceptions = byCa.size === 0 ? '' : ` (except for ${counted(byCa.size, 'CA')})`;
  return `CRL mode ${byDefault.mode}${exceptions}`;
}

function describeVerification({ by, fields }: ChainVerification, clientCa: ClientCa | undefined): string {
  const header = fields.map(({ header: name, successValue }) => `${name}=${successValue}`).join(' and ');
  const own = clientCa ? `verified by countersign against ${describeClientCa(clientCa)}` : 'verified by countersign';
  const verifiers = {
    countersign: header === '' ? own : `${own} with ${header}`,
    header: `verified by ${header}`,
    terminator: 'verified by the terminator, as declared',
    none: 'not verified (self_signed_tls_client_auth only)',
  };
  return verifiers[by];
}

function describeClientCa({ path, store: { anchors, intermediates } }: ClientCa): string {
  const others = intermediates.length === 0 ? '' : ` and ${counted(intermediates.length, 'intermediate')}`;
  return `${counted(anchors.length, 'trust anchor')}${others} in ${path}`;
}
