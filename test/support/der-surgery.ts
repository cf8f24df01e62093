import type { CertificateOptions, MintedCertificate, TestCa } from './certificates.ts';
import { childrenOf, contentOf, sequence } from './der.ts';

/** Input on which parsers disagree: non-DER encodings of a certificate, and unusual certificates. */

/** The certificate with trailing bytes. */
export function withTrailingBytes(certificate: Uint8Array, trailing: Uint8Array = Buffer.of(0)): Uint8Array {
  return Buffer.concat([certificate, trailing]);
}

/** BER: the outer SEQUENCE with an indefinite length and end-of-contents bytes (X.690 §8.1.3.6). */
export function withIndefiniteLength(certificate: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(0x30, 0x80), contentOf(certificate), Buffer.of(0, 0)]);
}

/** BER: the length of the serial number in one byte more than necessary. The signature is no longer valid. */
export function withLongFormLength(certificate: Uint8Array): Uint8Array {
  const [tbsCertificate = Buffer.of(), ...rest] = childrenOf(certificate);
  const [version = Buffer.of(), serial = Buffer.of(), ...others] = childrenOf(tbsCertificate);
  const content = contentOf(serial);
  const longSerial = Buffer.concat([Buffer.of(0x02, 0x81, content.length), content]);
  return sequence(sequence(version, longSerial, ...others), ...rest);
}

/** Replaces the outer AlgorithmIdentifier, but not the signed inner one (RFC 5280 §4.1.1.2). */
export function withSignatureAlgorithm(certificate: Uint8Array, algorithm: Uint8Array): Uint8Array {
  const [tbsCertificate = Buffer.of(), _, ...rest] = childrenOf(certificate);
  return sequence(tbsCertificate, algorithm, ...rest);
}

/** X.509 v1: no version and no extensions, so nothing indicates whether it is a CA certificate. */
export function x509v1(ca: TestCa, options: CertificateOptions = {}): MintedCertificate {
  return ca.issue({ ...options, version: 1 });
}

/** At least `bytes` bytes of DER, by adding DNS names. */
export function hugeCertificate(ca: TestCa, bytes: number, options: CertificateOptions = {}): MintedCertificate {
  const hostName = (index: number) => `host-${index.toString().padStart(6, '0')}.clients.example`;
  const bytesPerName = hostName(0).length + 2;
  const dns = Array.from({ length: Math.ceil(bytes / bytesPerName) }, (_, index) => hostName(index));
  return ca.issue({ ...options, dns: [...(options.dns ?? []), ...dns] });
}

/** A repeated extension, which RFC 5280 §4.2 forbids: one EKU has clientAuth, the other serverAuth. */
export function withDuplicateExtension(ca: TestCa, options: CertificateOptions = {}): MintedCertificate {
  const serverAuth = Buffer.from('300a06082b06010505070301', 'hex');
  const duplicate = { oid: '2.5.29.37', value: serverAuth };
  return ca.issue({
    ...options,
    eku: 'client',
    extraExtensions: [...(options.extraExtensions ?? []), duplicate],
  });
}
