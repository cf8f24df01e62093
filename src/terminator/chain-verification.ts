import type { HeaderFields } from '../http/header-fields.ts';
import type { ChainStatus, PresentedChain } from '../pki/path/verify-chain.ts';
import { singleValue } from './single-value.ts';
import type { ChainVerification } from './terminator.ts';

/**
 * What the terminator reports about the chain: `absent` where its format has no field for it.
 * `reason` is the text for the operator.
 */
export interface ForwardedVerification {
  readonly result: 'verified' | 'failed' | 'absent';
  readonly reason: string;
}

const MAX_QUOTED_LENGTH = 120;

/**
 * Reads the verification fields. A configured field that is missing counts as failed.
 *
 * @throws {ForwardingError} when a field appears more than once
 */
export function readVerification(headers: HeaderFields, { fields }: ChainVerification): ForwardedVerification {
  if (fields.length === 0) return { result: 'absent', reason: 'the terminator forwards no verification result' };
  const results = fields.map(({ header, successValue }) => {
    const value = singleValue(headers, header);
    const state = value === undefined ? 'is absent' : `is "${value.slice(0, MAX_QUOTED_LENGTH)}"`;
    return { verified: value === successValue, reason: `${header} ${state}` };
  });
  const failed = results.find(({ verified }) => !verified);
  if (failed) return { result: 'failed', reason: failed.reason };
  return { result: 'verified', reason: results.map(({ reason }) => reason).join(', ') };
}

/**
 * Whether the chain of a certificate counts as verified, according to the configured {@link ChainVerification}. A
 * failed verification by the terminator is always final.
 *
 * @param forwarded what the terminator reports
 * @param verifyChain this server's own path validation
 */
export function chainStatus(
  presented: PresentedChain,
  forwarded: ForwardedVerification,
  verification: ChainVerification,
  verifyChain: (presented: PresentedChain) => ChainStatus,
): ChainStatus {
  if (forwarded.result === 'failed') return failed(forwarded);
  switch (verification.by) {
    case 'countersign':
      return verifyChain(presented);
    case 'header':
      if (forwarded.result !== 'verified') return failed(forwarded);
      return { verified: true, reason: forwarded.reason, paths: undefined };
    case 'terminator':
      return { verified: true, reason: 'COUNTERSIGN_CHAIN_VERIFIED_BY is terminator', paths: undefined };
    case 'none':
      return { verified: false, code: 'verification_unavailable', reason: verification.fix };
  }
}

function failed({ reason }: ForwardedVerification): ChainStatus {
  return { verified: false, code: 'verification_failed', reason };
}
