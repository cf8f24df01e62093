import { CertificateError } from '../certificate/certificate-error.ts';
import type { HeaderFormat } from './header-format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats } from './header-formats.ts';

/**
 * Names the other formats in whose encoding a value is a certificate, for the operator whose server and proxy are
 * configured for different ones. Nothing is ever believed because of it.
 *
 * @param configured the format that could not decode the value
 * @returns a clause for the reason of a refusal, or undefined where no format knows the value
 */
export function recogniseEncoding(value: string, configured: HeaderFormatName): string | undefined {
  const [first, ...others] = headerFormatNames.filter(
    (name) => name !== configured && knows(headerFormats[name], value),
  );
  if (first === undefined) return undefined;
  const also = others.length > 0 ? ` (or ${others.join(', ')})` : '';
  return `this looks like ${first}'s encoding${also}; the server is configured for ${configured}`;
}

function knows({ decode }: HeaderFormat, value: string): boolean {
  try {
    decode(value);
    return true;
  } catch (error) {
    if (error instanceof CertificateError) return false;
    throw error;
  }
}
