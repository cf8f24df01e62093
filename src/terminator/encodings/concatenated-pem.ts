import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { decodeForwardedPem } from '../../pki/certificate/pem.ts';
import type { DecodedCertificates } from '../header-format.ts';
import { requireChain, requireChainLength } from './chain.ts';

const BEGIN = '-----BEGIN CERTIFICATE-----';

/**
 * Decodes the PEM blocks of a leaf and its chain, one after another with nothing between them.
 *
 * @throws {CertificateError}
 */
export function decodeConcatenatedPem(text: string): DecodedCertificates {
  let end = endOfBlock(text, 0);
  const leaf = decodeForwardedPem(text.slice(0, end));
  const chain: Uint8Array[] = [];
  while (end < text.length) {
    const start = end;
    if (text[start - 1] !== '\n') throw new CertificateError('no line feed between two PEM blocks');
    requireChainLength(chain.length + 1);
    end = endOfBlock(text, start);
    chain.push(decodeForwardedPem(text.slice(start, end)));
  }
  return { leaf, chain: requireChain(chain) };
}

function endOfBlock(text: string, start: number): number {
  const next = text.indexOf(BEGIN, start + 1);
  return next === -1 ? text.length : next;
}
