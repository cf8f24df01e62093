import type { ChainJudgement } from '../certification-path/chain-verifier.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';

/** The certificate that a request came with, parsed, or why there is none. */
export type PresentedCertificate =
  | {
      readonly kind: 'certificate';
      readonly certificate: ClientCertificate;
      /** Whether somebody whom we are configured to believe verified its chain, and how that was said. */
      readonly chain: ChainJudgement;
    }
  | { readonly kind: 'none'; readonly reason: string };
