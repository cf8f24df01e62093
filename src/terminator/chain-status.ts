import type { ChainJudgement, PresentedChain } from '../pki/path/verify-chain.ts';
import type { ChainVerification, Verdict } from './terminator.ts';

/**
 * Whether the chain of a certificate is verified, by whom the operator configured. A terminator that says no is always
 * believed.
 *
 * @param verdict what the terminator said
 * @param verifyChain our own verification
 */
export function judgeChain(
  presented: PresentedChain,
  verdict: Verdict,
  verification: ChainVerification,
  verifyChain: (presented: PresentedChain) => ChainJudgement,
): ChainJudgement {
  if (verdict.said === 'no') return { verified: false, reason: verdict.reason };
  switch (verification.by) {
    case 'countersign':
      return verifyChain(presented);
    case 'verdict':
      return { verified: verdict.said === 'yes', reason: verdict.reason, paths: undefined };
    case 'terminator':
      return { verified: true, reason: 'COUNTERSIGN_CHAIN_VERIFIED_BY is terminator', paths: undefined };
    case 'nobody':
      return { verified: false, reason: verification.mend };
  }
}
