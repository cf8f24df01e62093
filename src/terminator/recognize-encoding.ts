import { CertificateError } from '../pki/certificate/certificate-error.ts';
import type { HeaderFormat } from './format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats } from './formats.ts';

/**
 * Names the other formats that can decode a value, to help an operator whose server and proxy are configured for
 * different formats. The request is rejected in any case.
 *
 * @param configured the format that could not decode the value
 * @returns a clause for the reason, or undefined if no format can decode the value
 */
export function recognizeEncoding(value: string, configured: HeaderFormatName): string | undefined {
  const [first, ...others] = headerFormatNames.filter(
    (name) => name !== configured && canDecode(headerFormats[name], value),
  );
  if (first === undefined) return undefined;
  const also = others.length > 0 ? ` (or ${others.join(', ')})` : '';
  return `this looks like ${first}'s encoding${also}; the server is configured for ${configured}`;
}

/** The number of hex digits of a SHA-1 and of a SHA-256 fingerprint. */
const FINGERPRINT_DIGITS: readonly number[] = [40, 64];

/**
 * Describes a value in hex, which no format uses for a certificate. Hex digits are valid base64 too, so check this
 * before decoding.
 *
 * @returns a noun phrase for the reason, or undefined if the value is not recognized
 */
export function recognizeHex(value: string): string | undefined {
  if (!/^[0-9a-f]+$/i.test(value)) return undefined;
  if (FINGERPRINT_DIGITS.includes(value.length)) {
    return 'a fingerprint, not a certificate (nginx: forward $ssl_client_escaped_cert)';
  }
  return value.startsWith('30') ? 'the DER in hex (HAProxy: write ssl_c_der,base64, not ssl_c_der,hex)' : undefined;
}

/** The first characters of the base64 of a DER SEQUENCE of 256 to 65,535 bytes, which every certificate is. */
const DER_IN_BASE64 = 'MI';

function canDecode({ decode }: HeaderFormat, value: string): boolean {
  const isBareBase64 = /^[0-9A-Za-z+/]+=*$/.test(value);
  if (isBareBase64 && !value.startsWith(DER_IN_BASE64)) return false;
  try {
    decode(value);
    return true;
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}
