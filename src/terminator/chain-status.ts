import type { ChainStatus, PresentedChain } from '../pki/path/verify-chain.ts';
import type { ChainVerification, ForwardedVerification } from './terminator.ts';

/**
 * Whether the chain of a certificate is verified, by whom the operator configured. A terminator that says no is always
 * believed.
 *
 * @param verdict what the terminator said
 * @param verifyChain our own verification
 */
export function chainStatus(
  presented: PresentedChain,
  verdict: ForwardedVerification,
  verification: ChainVerification,
  verifyChain: (presented: PresentedChain) => ChainStatus,
): ChainStatus {
  if (verdict.result === 'failed') return { verified: false, reason: verdict.reason };
  switch (verification.by) {
    case 'countersign':
      return verifyChain(presented);
    case 'header':
      return { verified: verdict.result === 'verified', reason: verdict.reason, paths: undefined };
    case 'terminator':
      return { verified: true, reason: 'COUNTERSIGN_CHAIN_VERIFIED_BY is terminator', paths: undefined };
    case 'none':
      return { verified: false, reason: verification.fix };
  }
}
