import type { Terminator } from '../terminator/terminator.ts';
import type { ChainVerification } from '../terminator/verdict.ts';
import type { ClientCa } from './client-ca.ts';

/** In one clause, all that the server takes for true about what stands in front of it. */
export function describeBelief(terminator: Terminator, hop: string, clientCa: ClientCa | undefined): string {
  const { name, certificateHeader, verification } = terminator;
  const verifier = describeVerification(verification, clientCa);
  return `client certificate: ${name} in ${certificateHeader}, chain verified by ${verifier}, ${hop}`;
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
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
  const others = intermediates.length === 0 ? '' : ` and ${counted(intermediates.length, 'intermediate')}`;
  return `${counted(anchors.length, 'anchor')}${others} of ${path}`;
}
