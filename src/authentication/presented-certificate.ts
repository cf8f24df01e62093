import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { ChainJudgement } from '../pki/path/verify-chain.ts';

/** The certificate that a request came with, parsed, or why there is none. */
export type PresentedCertificate =
  | {
      readonly kind: 'certificate';
      readonly certificate: ClientCertificate;
      /** Whether somebody whom we are configured to believe verified its chain, and how that was said. */
      readonly chain: ChainJudgement;
    }
  | { readonly kind: 'none'; readonly reason: string };
