import type { CertificateOptions, MintedCertificate, TestCa } from './certificates.ts';
import { childrenOf, contentOf, sequence } from './der.ts';

/** What parsers disagree about: encodings of a certificate that are not its DER, and certificates that are odd. */

/** The certificate, then octets that belong to nothing. */
export function withTrailingBytes(certificate: Uint8Array, trailing: Uint8Array = Buffer.of(0)): Uint8Array {
  return Buffer.concat([certificate, trailing]);
}

/** BER: the outer SEQUENCE with an indefinite length and end-of-contents octets (X.690 §8.1.3.6). */
export function withIndefiniteLength(certificate: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(0x30, 0x80), contentOf(certificate), Buffer.of(0, 0)]);
}

/** BER: the serial number's length in one octet more than it needs. The signature no longer verifies. */
export function withLongFormLength(certificate: Uint8Array): Uint8Array {
  const [tbsCertificate = Buffer.of(), ...rest] = childrenOf(certificate);
  const [version = Buffer.of(), serial = Buffer.of(), ...others] = childrenOf(tbsCertificate);
  const content = contentOf(serial);
  const longSerial = Buffer.concat([Buffer.of(0x02, 0x81, content.length), content]);
  return sequence(sequence(version, longSerial, ...others), ...rest);
}

/** The outer AlgorithmIdentifier replaced; the inner one is what was signed (RFC 5280 §4.1.1.2). */
export function withSignatureAlgorithm(certificate: Uint8Array, algorithm: Uint8Array): Uint8Array {
  const [tbsCertificate = Buffer.of(), _, ...rest] = childrenOf(certificate);
  return sequence(tbsCertificate, algorithm, ...rest);
}

/** X.509 v1: no version, no extensions, and so nothing that says whether it is a CA. */
export function x509v1(ca: TestCa, options: CertificateOptions = {}): MintedCertificate {
  return ca.issue({ ...options, version: 1 });
}

/** At least `bytes` octets of DER, through as many DNS names as that takes. */
export function hugeCertificate(ca: TestCa, bytes: number, options: CertificateOptions = {}): MintedCertificate {
  const hostName = (index: number) => `host-${index.toString().padStart(6, '0')}.clients.example`;
  const octetsForEach = hostName(0).length + 2;
  const dns = Array.from({ length: Math.ceil(bytes / octetsForEach) }, (_, index) => hostName(index));
  return ca.issue({ ...options, dns: [...(options.dns ?? []), ...dns] });
}

/** The same extension twice (RFC 5280 §4.2 forbids it): one EKU says client, the other server. */
export function withDuplicateExtension(ca: TestCa, options: CertificateOptions = {}): MintedCertificate {
  const serverAuth = Buffer.from('300a06082b06010505070301', 'hex');
  const duplicate = { oid: '2.5.29.37', value: serverAuth };
  return ca.issue({
    ...options,
    eku: 'client',
    extraExtensions: [...(options.extraExtensions ?? []), duplicate],
  });
}
