import { invalidClient, invalidRequest, type OAuthError } from '../oauth/oauth-error.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { ChainStatus, PresentedChain } from '../pki/path/verify-chain.ts';
import type { CertificateReader } from '../terminator/certificate-reader.ts';
import { chainStatus } from '../terminator/chain-verification.ts';
import { type ForwardedRequest, readForwardedCertificate } from '../terminator/forwarded-certificate.ts';
import { ForwardingError, type ForwardingErrorCode } from '../terminator/forwarding-error.ts';
import type { Terminator } from '../terminator/terminator.ts';

/** How the certificate of a request is found. */
export type ClientCertificateReader = (request: ForwardedRequest) => PresentedCertificate;

/** The terminator as configured, and the reader of the certificates that it forwards. */
export interface CertificateSource {
  readonly terminator: Terminator;
  readonly readCertificate: CertificateReader;
  /** Our own verification, to the configured anchors. */
  readonly verifyChain: (presented: PresentedChain) => ChainStatus;
  /** Looks at the fields that other terminators would have sent. */
  readonly detectForeignHeaders: (request: ForwardedRequest) => void;
}

/**
 * Reads and parses the certificate that a request came with, and judges its chain.
 *
 * @throws {OAuthError} when what was forwarded cannot be accepted
 */
export function readClientCertificate(request: ForwardedRequest, source: CertificateSource): PresentedCertificate {
  source.detectForeignHeaders(request);
  try {
    const forwarded = readForwardedCertificate(request, source.terminator);
    if (forwarded.kind === 'none') return forwarded;
    const presented = source.readCertificate(forwarded);
    const { verification } = source.terminator;
    const chain = chainStatus(presented, forwarded.verification, verification, source.verifyChain);
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
      readonly chain: ChainStatus;
    }
  | { readonly kind: 'none'; readonly reason: string };
