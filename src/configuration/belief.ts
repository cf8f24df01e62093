import type { Terminator } from '../terminator/terminator.ts';
import type { ChainVerification } from '../terminator/verdict.ts';

/** In one clause, all that the server takes for true about what stands in front of it. */
export function describeBelief(terminator: Terminator, hop: string): string {
  const { name, certificateHeader, verification } = terminator;
  return `client certificate: ${name} in ${certificateHeader}, chain verified by ${describeVerification(verification)}, ${hop}`;
}

function describeVerification(verification: ChainVerification): string {
  if (verification.by === 'nobody') return 'nobody (self-signed clients only)';
  if (verification.by === 'terminator') return 'the terminator, as declared';
  return verification.fields.map(({ header, positive }) => `${header}=${positive}`).join(' and ');
}
