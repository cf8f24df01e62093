import type { InvalidClientCode } from '../../reasons/reasons.ts';
import type { Certificate } from './certificate.ts';

/**
 * Bytes or text that are not an acceptable certificate, distinguished name or thumbprint. The message states exactly
 * what is wrong: it is for operators and the audit log, never for the client.
 */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code: InvalidClientCode;
  /** The certificate, if it could be parsed and may only not identify a client. */
  readonly certificate: Certificate | undefined;

  /** @param code of a client certificate; the others are never rejected by a request */
  constructor(message: string, { code = 'certificate_malformed', certificate, cause }: CertificateErrorOptions = {}) {
    super(message, { cause });
    this.code = code;
    this.certificate = certificate;
  }
}

interface CertificateErrorOptions {
  readonly code?: InvalidClientCode;
  readonly certificate?: Certificate;
  readonly cause?: unknown;
}
