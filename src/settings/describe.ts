import type { CrlConfig } from '../pki/crl/crl-checker.ts';
import type { ChainVerification, Terminator } from '../terminator/terminator.ts';
import type { ClientCa } from './client-ca.ts';

interface DescribedSettings {
  readonly terminator: Terminator;
  readonly proxyTrustDescription: string;
  readonly clientCa: ClientCa | undefined;
  readonly crl: CrlConfig | undefined;
}

/** In one clause, all that the server takes for true about what stands in front of it. */
export function describeEffectiveConfig({
  terminator,
  proxyTrustDescription,
  clientCa,
  crl,
}: DescribedSettings): string {
  const { name, certificateHeader, verification } = terminator;
  const verifier = describeVerification(verification, clientCa);
  const revoked = crl ? `, ${describeCrlPolicy(crl)}` : '';
  return `client certificate: ${name} in ${certificateHeader}, chain verified by ${verifier}${revoked}, ${proxyTrustDescription}`;
}

function describeCrlPolicy({ policy: { byDefault, byCa } }: CrlConfig): string {
  const others = byCa.size === 0 ? '' : ` (but for ${counted(byCa.size, 'CA')})`;
  return `revocation ${byDefault.mode}${others}`;
}

function describeVerification({ by, fields }: ChainVerification, clientCa: ClientCa | undefined): string {
  const verdict = fields.map(({ header, successValue }) => `${header}=${successValue}`).join(' and ');
  const own = clientCa ? `countersign to ${describeClientCa(clientCa)}` : 'countersign';
  const verifiers = {
    countersign: verdict === '' ? own : `${own} with ${verdict}`,
    header: verdict,
    terminator: 'the terminator, as declared',
    none: 'nobody (self-signed clients only)',
  };
  return verifiers[by];
}

function describeClientCa({ path, store: { anchors, intermediates } }: ClientCa): string {
  const others = intermediates.length === 0 ? '' : ` and ${counted(intermediates.length, 'intermediate')}`;
  return `${counted(anchors.length, 'anchor')}${others} of ${path}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
