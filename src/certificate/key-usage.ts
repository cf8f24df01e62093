import { CertificateError } from './certificate-error.ts';
import { extensionValue } from './certificate-structure.ts';
import { type DerElement, Tag } from './der.ts';

/** The bits of keyUsage that matter here (RFC 5280 §4.2.1.3), by their number. */
const bits = { digitalSignature: 0, keyAgreement: 4, keyCertSign: 5, cRLSign: 6 } as const;

/** What the key may be used for. */
export type KeyUsage = ReadonlySet<keyof typeof bits>;

/**
 * Reads which of these bits are set.
 *
 * @param extension the `Extension` element, or undefined where the certificate has none
 * @returns undefined without the extension: the key may then be used for everything
 * @throws {CertificateError} when it is malformed, or no bit is set
 */
export function readKeyUsage(extension: DerElement | undefined): KeyUsage | undefined {
  if (!extension) return undefined;
  const { tag, content } = extensionValue(extension);
  const [, ...octets] = content;
  const wellFormed = tag === Tag.bitString && octets.length <= 2;
  if (!wellFormed || !octets.some((octet) => octet !== 0)) throw new CertificateError('its key usage is malformed');
  const isSet = (bit: number) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  /** Safe: the table above is closed, so its keys are the names. */
  const names = Object.keys(bits) as (keyof typeof bits)[];
  return new Set(names.filter((name) => isSet(bits[name])));
}
