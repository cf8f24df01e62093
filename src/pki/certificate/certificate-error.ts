/**
 * Bytes or text that are not an acceptable certificate, distinguished name or thumbprint. The message states exactly
 * what is wrong: it is for operators and the audit log, never for the client.
 */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}
