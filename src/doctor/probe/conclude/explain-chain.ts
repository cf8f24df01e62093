import type { Outcome } from '../../observer/observe.ts';
import type { ClientKeyPair } from '../identity.ts';
import type { TrialResult } from '../trial.ts';
import { type Finding, note, type ProbeFacts, placesOf, problem } from './finding.ts';
import { fixChain, fixResumption, fixVerification } from './fixes.ts';

/**
 * Whether somebody verifies chains at all. What was made a moment ago and signed by itself cannot have been verified, so
 * a server that counts it as verified would take everybody's.
 */
export function explainUntrusted(usual: readonly TrialResult[], { server, identity }: ProbeFacts): Finding[] {
  const verified = usual.filter((tried) => isUntrusted(tried, identity) && isVerified(tried));
  const straight = verified.filter(({ route }) => route.transport !== 'resumed_tls');
  if (straight.length > 0) return [unverified(straight, fixVerification(server))];
  return verified.length > 0 ? [unverified(verified, fixResumption(server))] : [];
}

/** What a chain that is not verified means, of a certificate that is believed. */
export function explainOwnChain(
  { chain }: Extract<Outcome, { kind: 'certificate' }>,
  { server, identity }: ProbeFacts,
): Finding[] {
  if (chain.verified || identity.made) return [];
  const what = `the chain of your certificate is not verified (${chain.reason})`;
  const use = 'it can serve self_signed_tls_client_auth, and not tls_client_auth';
  // A server that verifies nobody's chain was set up for certificates that are registered one by one.
  const isMeant = identity.selfSigned || server.verification.by === 'none';
  if (isMeant) return [note(`${what}: ${use}`)];
  return [problem(`${what}, and it is not self-signed: ${use}`, fixChain(server, chain.reason))];
}

/** Whether the request showed a certificate that was made for this run. */
export function isUntrusted({ presented }: TrialResult, { made }: ClientKeyPair): boolean {
  return presented === 'stranger' || (presented === 'own' && made);
}

/** Whether the chain of what was shown counted as verified. */
export function isVerified({ observations }: TrialResult): boolean {
  return reasonsOf(observations).length > 0;
}

function reasonsOf(observations: TrialResult['observations']): string[] {
  return observations.flatMap(({ outcome }) =>
    outcome.kind === 'certificate' && outcome.chain.verified ? [outcome.chain.reason] : [],
  );
}

function unverified(tried: readonly TrialResult[], mend: string): Finding {
  const reasons = new Set(tried.flatMap(({ observations }) => reasonsOf(observations)));
  const what = `a self-signed certificate that was made for this run counts as verified at ${placesOf(tried)}`;
  return problem(`${what} (${[...reasons].join('; ')}), so anybody's does`, mend);
}
