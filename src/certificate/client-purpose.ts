import type { Certificate } from './certificate.ts';
import { CertificateError } from './certificate-error.ts';
import { CLIENT_AUTH } from './extended-key-usage.ts';

/**
 * Refuses a certificate that is not meant to be shown by a client: a CA's, or one for other purposes only.
 *
 * @throws {CertificateError} naming the rule
 */
export function requireClientPurpose({ basicConstraints, purposes }: Certificate): void {
  if (basicConstraints.isAuthority) {
    throw new CertificateError('is a CA certificate (basicConstraints CA:TRUE); a client needs CA:FALSE');
  }
  if (purposes && !purposes.includes(CLIENT_AUTH)) {
    throw new CertificateError('is not meant for clients: its extended key usage lacks clientAuth');
  }
}
