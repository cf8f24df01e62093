import type { PresentedCertificate } from '../clients/methods/method.ts';
import { invalidClient, invalidRequest, type OAuthError } from '../oauth/oauth-error.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import type { Certificate } from '../pki/certificate/certificate.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import type { ChainStatus, PresentedChain } from '../pki/path/verify-chain.ts';
import type { CertificateReader } from '../terminator/certificate-reader.ts';
import { chainStatus } from '../terminator/chain-verification.ts';
import { type ForwardedRequest, readForwardedCertificate } from '../terminator/forwarded-certificate.ts';
import { ForwardingError } from '../terminator/forwarding-error.ts';
import type { Terminator } from '../terminator/terminator.ts';

/** Reads the client certificate of a request, and adds to its audit entry which certificate that is. */
export type ClientCertificateReader = (request: ForwardedRequest, entry: AuditEntry) => PresentedCertificate;

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
 * @param entry the audit entry of the request
 * @throws {OAuthError} if the forwarded certificate is not acceptable
 */
export function readClientCertificate(
  request: ForwardedRequest,
  source: CertificateSource,
  entry: AuditEntry,
): PresentedCertificate {
  source.detectForeignHeaders(request);
  try {
    const forwarded = readForwardedCertificate(request, source.terminator);
    if (forwarded.kind === 'none') return forwarded;
    const presented = source.decodeChain(forwarded);
    addCertificate(entry, presented.certificate);
    const { verification } = source.terminator;
    const chain = chainStatus(presented, forwarded.verification, verification, source.verifyChain);
    return { kind: 'certificate', certificate: presented.certificate, chain };
  } catch (error) {
    if (error instanceof CertificateError) {
      if (error.certificate) addCertificate(entry, error.certificate);
      throw invalidClient(error.code, `the forwarded certificate: ${error.message}`);
    }
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

/** Adds which certificate the request has. */
function addCertificate(entry: AuditEntry, certificate: Certificate): void {
  const { subjectText, issuerText, serialNumber, svid, thumbprint } = certificate;
  entry.subject = subjectText;
  if (svid.spiffeId !== undefined) entry.spiffe_id = svid.spiffeId;
  entry.thumbprint = thumbprint;
  entry.issuer = issuerText;
  entry.serial_number = formatSerialNumber(serialNumber);
}

/** OpenSSL and nginx print it in upper case, without the byte that makes an INTEGER positive. */
function formatSerialNumber(hex: string): string {
  return (hex.length > 2 && hex.startsWith('00') ? hex.slice(2) : hex).toUpperCase();
}
