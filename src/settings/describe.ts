import type { RevocationConfig } from '../pki/crl/crl-checker.ts';
import type { ChainVerification, Terminator } from '../terminator/terminator.ts';
import type { ClientCa } from './client-ca.ts';

interface BelievedSettings {
  readonly terminator: Terminator;
  readonly hopDescription: string;
  readonly clientCa: ClientCa | undefined;
  readonly revocation: RevocationConfig | undefined;
}

/** In one clause, all that the server takes for true about what stands in front of it. */
export function describeBelief({ terminator, hopDescription, clientCa, revocation }: BelievedSettings): string {
  const { name, certificateHeader, verification } = terminator;
  const verifier = describeVerification(verification, clientCa);
  const revoked = revocation ? `, ${describeRevocation(revocation)}` : '';
  return `client certificate: ${name} in ${certificateHeader}, chain verified by ${verifier}${revoked}, ${hopDescription}`;
}

function describeRevocation({ policy: { usual, ofAuthority } }: RevocationConfig): string {
  const others = ofAuthority.size === 0 ? '' : ` (but for ${counted(ofAuthority.size, 'CA')})`;
  return `revocation ${usual.mode}${others}`;
}

function describeVerification({ by, fields }: ChainVerification, clientCa: ClientCa | undefined): string {
  const verdict = fields.map(({ header, positive }) => `${header}=${positive}`).join(' and ');
  const own = clientCa ? `countersign to ${describeClientCa(clientCa)}` : 'countersign';
  const verifiers = {
    countersign: verdict === '' ? own : `${own} with ${verdict}`,
    verdict,
    terminator: 'the terminator, as declared',
    nobody: 'nobody (self-signed clients only)',
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
