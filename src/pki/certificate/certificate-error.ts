/**
 * Bytes or text that are not a certificate we accept, or a name or thumbprint that cannot be read.
 * The message says exactly what is wrong: it is for operators and audit events, never for the caller.
 */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}
