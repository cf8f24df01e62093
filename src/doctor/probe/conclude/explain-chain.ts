import type { Believed } from '../../observer/observe.ts';
import type { Identity } from '../identity.ts';
import type { Tried } from '../trial.ts';
import { type Circumstances, type Finding, fault, note, placesOf } from './finding.ts';
import { mendChain, mendResumption, mendVerification } from './fixes.ts';

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

/** What a chain that is not verified means, of a certificate that is believed. */
export function explainOwnChain(
  { chain }: Extract<Believed, { kind: 'certificate' }>,
  { server, identity }: Circumstances,
): Finding[] {
  if (chain.verified || identity.made) return [];
  const what = `the chain of your certificate is not verified (${chain.reason})`;
  const use = 'it can serve self_signed_tls_client_auth, and not tls_client_auth';
  // A server that verifies nobody's chain was set up for certificates that are registered one by one.
  const isMeant = identity.selfSigned || server.verification.by === 'nobody';
  if (isMeant) return [note(`${what}: ${use}`)];
  return [fault(`${what}, and it is not self-signed: ${use}`, mendChain(server, chain.reason))];
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
  const reasons = new Set(tried.flatMap(({ observations }) => reasonsOf(observations)));
  const what = `a self-signed certificate that was made for this run counts as verified at ${placesOf(tried)}`;
  return fault(`${what} (${[...reasons].join('; ')}), so anybody's does`, mend);
}
