import type { Outcome } from '../../observer/observe.ts';
import type { ClientKeyPair } from '../client-key-pair.ts';
import type { TrialResult } from '../trial.ts';
import { describeRoutes, type Finding, note, type ProbeFacts, problem } from './finding.ts';
import { fixChain, fixResumption, fixVerification } from './fixes.ts';

/**
 * Checks that chains are verified at all. The chain of a freshly generated self-signed certificate cannot be verified,
 * so a server that accepts it as verified accepts every client's.
 */
export function explainUntrusted(baseline: readonly TrialResult[], { server, clientKeyPair }: ProbeFacts): Finding[] {
  const verified = baseline.filter((result) => isUntrusted(result, clientKeyPair) && isVerified(result));
  const full = verified.filter(({ route }) => route.transport !== 'tls_resumed');
  if (full.length > 0) return [unverifiedChain(full, fixVerification(server))];
  return verified.length > 0 ? [unverifiedChain(verified, fixResumption(server))] : [];
}

function unverifiedChain(results: readonly TrialResult[], fix: string): Finding {
  const reasons = new Set(results.flatMap(verifiedReasons));
  const certificate = 'a self-signed certificate generated for this run';
  const what = `the chain of ${certificate} is accepted as verified at ${describeRoutes(results)}`;
  return problem(`${what} (${[...reasons].join('; ')}), so any certificate would be`, fix);
}

/** Explains what an unverified chain means for a certificate that is accepted. */
export function explainOwnChain(
  { chain }: Extract<Outcome, { kind: 'accepted' }>,
  { server, clientKeyPair }: ProbeFacts,
): Finding[] {
  if (chain.verified || clientKeyPair.generated) return [];
  const what = `the chain of your certificate is not verified (${chain.reason})`;
  const use = 'it works with self_signed_tls_client_auth, not with tls_client_auth';
  // A server that verifies no chain is configured for certificates that are registered individually.
  const isIntended = clientKeyPair.selfSigned || server.verification.by === 'none';
  if (isIntended) return [note(`${what}: ${use}`)];
  return [problem(`${what} although it is not self-signed: ${use}`, fixChain(server, chain.reason))];
}

/** Whether a certificate generated for this run was presented. */
export function isUntrusted({ presented }: TrialResult, { generated }: ClientKeyPair): boolean {
  return presented === 'untrusted' || (presented === 'own' && generated);
}

/** Whether the server accepted the chain of the certificate as verified. */
export function isVerified(result: TrialResult): boolean {
  return verifiedReasons(result).length > 0;
}

function verifiedReasons({ observations }: TrialResult): string[] {
  return observations.flatMap(({ outcome }) =>
    outcome.kind === 'accepted' && outcome.chain.verified ? [outcome.chain.reason] : [],
  );
}
