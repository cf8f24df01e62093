import { invalidClient, invalidRequest, type OAuthError } from '../oauth/oauth-error.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { ChainJudgement, PresentedChain } from '../pki/path/verify-chain.ts';
import type { ReadCertificate } from '../terminator/certificate-reader.ts';
import { judgeChain } from '../terminator/chain-status.ts';
import { type ForwardedRequest, readForwardedCertificate } from '../terminator/forwarded-certificate.ts';
import { ForwardingError, type ForwardingErrorCode } from '../terminator/raw-headers.ts';
import type { Terminator } from '../terminator/terminator.ts';

/** How the certificate of a request is found. */
export type PresentCertificate = (request: ForwardedRequest) => PresentedCertificate;

/** The terminator as configured, and the reader of the certificates that it forwards. */
export interface CertificateSource {
  readonly terminator: Terminator;
  readonly readCertificate: ReadCertificate;
  /** Our own verification, to the configured anchors. */
  readonly verifyChain: (presented: PresentedChain) => ChainJudgement;
  /** Looks at the fields that other terminators would have sent. */
  readonly watchOtherCarriers: (request: ForwardedRequest) => void;
}

/**
 * Reads and parses the certificate that a request came with, and judges its chain.
 *
 * @throws {OAuthError} when what was forwarded cannot be accepted
 */
export function presentCertificate(request: ForwardedRequest, source: CertificateSource): PresentedCertificate {
  source.watchOtherCarriers(request);
  try {
    const forwarded = readForwardedCertificate(request, source.terminator);
    if (forwarded.kind === 'none') return forwarded;
    const presented = source.readCertificate(forwarded);
    const { verification } = source.terminator;
    const chain = judgeChain(presented, forwarded.verdict, verification, source.verifyChain);
    return { kind: 'certificate', certificate: presented.certificate, chain };
  } catch (error) {
    if (error instanceof CertificateError) throw invalidClient(`the forwarded certificate: ${error.message}`);
    if (error instanceof ForwardingError) throw refusals[error.code](error.message);
    throw error;
  }
}

const refusals: Readonly<Record<ForwardingErrorCode, (reason: string) => OAuthError>> = {
  malformed: invalidClient,
  lost: invalidClient,
  too_large: (reason) =>
    invalidRequest('The client certificate is larger than the server accepts.', { reason, status: 431 }),
  stripped: (reason) => invalidRequest('The Connection header names a field that is not hop-by-hop.', { reason }),
  early_data: (reason) => invalidRequest('The request may not be sent in TLS early data.', { reason, status: 425 }),
};

/** The certificate that a request came with, parsed, or why there is none. */
export type PresentedCertificate =
  | {
      readonly kind: 'certificate';
      readonly certificate: ClientCertificate;
      /** Whether somebody whom we are configured to believe verified its chain, and how that was said. */
      readonly chain: ChainJudgement;
    }
  | { readonly kind: 'none'; readonly reason: string };
