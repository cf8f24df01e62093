import type { PresentedCertificate } from '../clients/methods/method.ts';
import { invalidClient, invalidRequest, type OAuthError } from '../oauth/oauth-error.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import type { ChainStatus, PresentedChain } from '../pki/path/verify-chain.ts';
import type { CertificateReader } from '../terminator/certificate-reader.ts';
import { chainStatus } from '../terminator/chain-verification.ts';
import { type ForwardedRequest, readForwardedCertificate } from '../terminator/forwarded-certificate.ts';
import { ForwardingError } from '../terminator/forwarding-error.ts';
import type { Terminator } from '../terminator/terminator.ts';

/** Reads the client certificate of a request. */
export type ClientCertificateReader = (request: ForwardedRequest) => PresentedCertificate;

/** The terminator as configured, and the reader of the certificates that it forwards. */
export interface CertificateSource {
  readonly terminator: Terminator;
  readonly decodeChain: CertificateReader;
  /** Our own validation, to the configured trust anchors. */
  readonly verifyChain: (presented: PresentedChain) => ChainStatus;
  /** Detects the headers that other terminators would have sent. */
  readonly detectForeignHeaders: (request: ForwardedRequest) => void;
}

/**
 * Reads the certificate that the terminator forwarded, parses it and determines whether its chain is verified.
 *
 * @throws {OAuthError} if the forwarded certificate is not acceptable
 */
export function readClientCertificate(request: ForwardedRequest, source: CertificateSource): PresentedCertificate {
  source.detectForeignHeaders(request);
  try {
    const forwarded = readForwardedCertificate(request, source.terminator);
    if (forwarded.kind === 'none') return forwarded;
    const presented = source.decodeChain(forwarded);
    const { verification } = source.terminator;
    const chain = chainStatus(presented, forwarded.verification, verification, source.verifyChain);
    return { kind: 'certificate', certificate: presented.certificate, chain };
  } catch (error) {
    if (error instanceof CertificateError)
      throw invalidClient(error.code, `the forwarded certificate: ${error.message}`);
    if (error instanceof ForwardingError) throw rejectionOf(error);
    throw error;
  }
}

function rejectionOf({ code, message: reason }: ForwardingError): OAuthError {
  switch (code) {
    case 'certificate_too_large':
      return invalidRequest(code, 'The client certificate is larger than the server accepts.', { reason });
    case 'header_stripped':
      return invalidRequest(code, 'The Connection header names a field that is not hop-by-hop.', { reason });
    case 'early_data':
      return invalidRequest(code, 'The request may not be sent in TLS early data.', { reason });
    case 'certificate_lost':
    case 'forwarded_header_repeated':
      return invalidClient(code, reason);
  }
}
