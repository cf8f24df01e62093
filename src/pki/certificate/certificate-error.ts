import type { InvalidClientCode } from '../../reasons/reasons.ts';

/**
 * Bytes or text that are not an acceptable certificate, distinguished name or thumbprint. The message states exactly
 * what is wrong: it is for operators and the audit log, never for the client.
 */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code: InvalidClientCode;

  /** @param code of a client certificate; the others are never rejected by a request */
  constructor(message: string, { code = 'certificate_malformed', cause }: CertificateErrorOptions = {}) {
    super(message, { cause });
    this.code = code;
  }
}

interface CertificateErrorOptions {
  readonly code?: InvalidClientCode;
  readonly cause?: unknown;
}
