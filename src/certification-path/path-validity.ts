import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { requireValidAt } from '../pki/certificate/client-certificate.ts';
import { faultOf, type Path, type PathFault } from './path.ts';

/**
 * Every certificate of a path must be valid at this time, the anchor's own as well (RFC 5280 §6.1.3 (a)(2)).
 *
 * @param now milliseconds since the epoch
 */
export function expiryFault(path: Path, now: number): PathFault | undefined {
  for (const [position, certificate] of [path.leaf, ...path.authorities].entries()) {
    try {
      requireValidAt(certificate, now);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      return faultOf(path, position, error.message, 'RFC 5280 §6.1.3 (a)(2)');
    }
  }
  return undefined;
}
