import { CertificateError } from '../certificate/certificate-error.ts';
import type { HeaderFormat } from './header-format.ts';

/**
 * RFC 9440 §2.2: `Client-Cert`, the DER as a Byte Sequence of RFC 9651 §3.3.5 (base64 between colons).
 * The RFC defines no verdict; a terminator that sends one beside it is named with `COUNTERSIGN_VERDICT_HEADER`.
 */
export const rfc9440: HeaderFormat = {
  certificateHeader: 'client-cert',
  verdictHeader: undefined,
  decode: (value) => {
    if (value.length < 3 || !value.startsWith(':') || !value.endsWith(':')) {
      throw new CertificateError('not a Byte Sequence: expected base64 between colons (RFC 9651 §3.3.5)');
    }
    const base64 = value.slice(1, -1);
    const der = Buffer.from(base64, 'base64');
    // Node's decoder skips what it does not know; encoding again shows whether it skipped anything.
    if (der.toString('base64') !== base64) throw new CertificateError('not a Byte Sequence: not canonical base64');
    return der;
  },
};
