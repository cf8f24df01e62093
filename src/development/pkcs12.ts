import { createHmac, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import {
  type AsnType,
  BmpString,
  Constructed,
  fromBER,
  Integer,
  Null,
  ObjectIdentifier,
  OctetString,
  Sequence,
  Set as SetOf,
} from 'asn1js';
import { deriveLegacy, KeyPurpose } from '../files/pkcs12/derive-key.ts';
import { encodingsOf } from '../files/pkcs12/password.ts';
import type { KeyPairWithCertificate } from '../pki/certificate/issue-certificate.ts';

/** RFC 7292 §4.2 and appendix D, RFC 5652 §4, RFC 2985 §5.5. */
const Oid = {
  data: '1.2.840.113549.1.7.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

const SHA256 = { name: 'sha256', bytes: 32, blockBytes: 64 } as const;
const ITERATIONS = 10_000;
const VERSION = 3;

/**
 * A PKCS #12 file (RFC 7292) as OpenSSL 3, Java 8u301 and .NET write it: the key is encrypted with PBES2 and AES-256, and
 * the file is authenticated with SHA-256. The certificate, which is public, is not encrypted.
 *
 * @param name how Java's `keytool` and Windows call the key
 */
export function createPkcs12(
  { certificatePem, privateKeyPem }: KeyPairWithCertificate,
  { name, password }: { readonly name: string; readonly password: string },
): Uint8Array {
  const certificate = new X509Certificate(certificatePem);
  const encryption = { cipher: 'aes-256-cbc', passphrase: password } as const;
  const key = createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'der', ...encryption });
  // Readers find the certificate of a key by this ID.
  const keyId = attribute(Oid.localKeyId, octetString(Buffer.from(certificate.fingerprint.replaceAll(':', ''), 'hex')));
  const attributes = [attribute(Oid.friendlyName, new BmpString({ value: name })), keyId];
  const certBag = sequence(oid(Oid.x509Certificate), explicit(octetString(certificate.raw)));
  const authenticated = encoded(
    sequence(
      dataContent(encoded(sequence(bag(Oid.certBag, certBag, [keyId])))),
      dataContent(encoded(sequence(bag(Oid.shroudedKeyBag, fromBER(bytesOf(key)).result, attributes)))),
    ),
  );
  return encoded(sequence(integer(VERSION), dataContent(authenticated), macData(authenticated, password)));
}

/** RFC 7292 §4: an HMAC with a key of appendix B. Few programs have its successor, PBMAC1 (RFC 9579). */
function macData(content: Uint8Array, password: string): Sequence {
  const derivation = { digest: SHA256, iterations: ITERATIONS, purpose: KeyPurpose.integrity, bytes: SHA256.bytes };
  const salt = randomBytes(16);
  const key = deriveLegacy({ ...derivation, salt }, encodingsOf(password)[0]);
  const mac = createHmac(SHA256.name, key).update(content).digest();
  const algorithm = sequence(oid(Oid.sha256), new Null());
  return sequence(sequence(algorithm, octetString(mac)), octetString(salt), integer(ITERATIONS));
}

/** A SafeBag (RFC 7292 §4.2). */
function bag(type: string, value: AsnType, attributes: readonly AsnType[]): Sequence {
  return sequence(oid(type), explicit(value), new SetOf({ value: [...attributes] }));
}

function attribute(type: string, value: AsnType): Sequence {
  return sequence(oid(type), new SetOf({ value: [value] }));
}

/** A ContentInfo of the type data (RFC 5652 §4). */
function dataContent(content: Uint8Array): Sequence {
  return sequence(oid(Oid.data), explicit(octetString(content)));
}

/** `[0] EXPLICIT` (X.690 §8.14). */
function explicit(value: AsnType): Constructed {
  return new Constructed({ idBlock: { tagClass: 3, tagNumber: 0 }, value: [value] });
}

const sequence = (...value: AsnType[]) => new Sequence({ value });
const oid = (value: string) => new ObjectIdentifier({ value });
const octetString = (bytes: Uint8Array) => new OctetString({ valueHex: bytesOf(bytes) });
const integer = (value: number) => new Integer({ value });
const encoded = (element: Sequence) => new Uint8Array(element.toBER());

/** In memory of their own: `asn1js` reads the buffer behind a view. */
function bytesOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
