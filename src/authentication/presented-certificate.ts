import type { ClientCertificate } from '../certificate/client-certificate.ts';

/** The certificate that a request came with, parsed, or why there is none. */
export type PresentedCertificate =
  | {
      readonly kind: 'certificate';
      readonly certificate: ClientCertificate;
      /** Whether somebody whom we are configured to believe verified its chain, and how that was said. */
      readonly chain: { readonly verified: boolean; readonly reason: string };
    }
  | { readonly kind: 'none'; readonly reason: string };
