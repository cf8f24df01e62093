import type { Belief } from '../endpoints/doctor.ts';
import type { Finding } from './explain-arrival.ts';
import type { Identity } from './identity.ts';
import { mendResumption, mendVerification } from './mend-verification.ts';
import type { Tried } from './trial.ts';

interface Circumstances {
  readonly server: Belief;
  readonly identity: Identity;
}

/**
 * Whether somebody verifies chains at all. What was made a moment ago and signed by itself cannot have been verified, so
 * a server that counts it as verified would take everybody's.
 */
export function explainStrangers(usual: readonly Tried[], { server, identity }: Circumstances): Finding[] {
  const verified = usual.filter((tried) => isStranger(tried, identity) && isVerified(tried));
  const straight = verified.filter(({ route }) => route.transport !== 'resumed_tls');
  if (straight.length > 0) return [unverified(straight, mendVerification(server))];
  return verified.length > 0 ? [unverified(verified, mendResumption(server))] : [];
}

/** Whether the request showed a certificate that was made for this run. */
export function isStranger({ shown }: Tried, { made }: Identity): boolean {
  return shown === 'stranger' || (shown === 'own' && made);
}

/** Whether the chain of what was shown counted as verified. */
export function isVerified({ observations }: Tried): boolean {
  return reasonsOf(observations).length > 0;
}

function reasonsOf(observations: Tried['observations']): string[] {
  return observations.flatMap(({ believed }) =>
    believed.kind === 'certificate' && believed.chain.verified ? [believed.chain.reason] : [],
  );
}

function unverified(tried: readonly Tried[], mend: string): Finding {
  const places = [...new Set(tried.map(({ route }) => route.title))].join(', and at ');
  const reasons = new Set(tried.flatMap(({ observations }) => reasonsOf(observations)));
  return {
    kind: 'fault',
    text:
      `a self-signed certificate that was made for this run counts as verified at ${places} ` +
      `(${[...reasons].join('; ')}), so anybody's does. Mend: ${mend}`,
  };
}
