import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bitString, der, integer, sequence, time } from './der.ts';
import { encodeName, type NameParts } from './distinguished-name.ts';
import {
  basicConstraints,
  type ExtendedKeyUsage,
  extendedKeyUsage,
  isExtension,
  type KeyUsage,
  keyIdentifiers,
  keyUsage,
  type RawExtension,
  rawExtension,
  type SubjectAlternativeNames,
  subjectAlternativeNames,
} from './extensions.ts';
import { type KeyPair, type KeyType, keyPair, type SignatureHash, signatureAlgorithm, signatureOver } from './keys.ts';

/** By default, a client's end-entity certificate with an EC P-256 key, valid from an hour ago for a year. */
export interface CertificateOptions extends SubjectAlternativeNames {
  /** RDNs in DER order, or the DER of a whole Name. Default: `CN=client`. */
  readonly subject?: NameParts | Uint8Array;
  readonly keyType?: KeyType;
  /** Whether certificates of this key type share one key. Default: only for RSA, whose keys are slow to generate. */
  readonly reuseKey?: boolean;
  /** The key pair to use, e.g. `keys` of a certificate to renew. */
  readonly keys?: KeyPair;
  /** A SubjectPublicKeyInfo to certify instead of the key pair's (see `rsaPublicKey`); unusable in a handshake. */
  readonly publicKey?: Uint8Array;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Default: `client`; for a CA, `none`. */
  readonly eku?: ExtendedKeyUsage;
  readonly ca?: boolean;
  /** Default: `digitalSignature`; for a CA, `keyCertSign` and `cRLSign`. An empty list omits the extension. */
  readonly keyUsage?: readonly KeyUsage[];
  readonly pathLength?: number;
  /** The bytes to use instead of well-formed basicConstraints. */
  readonly rawBasicConstraints?: Uint8Array;
  /** A number, or the content bytes of the INTEGER (negative, zero, padded). Default: random. */
  readonly serial?: bigint | Uint8Array;
  readonly signatureHash?: SignatureHash;
  /** X.509 v1 has neither a version field nor extensions. Default: 3. */
  readonly version?: 1 | 3;
  /** The issuer field. Default: the subject of the issuing CA. */
  readonly issuerName?: NameParts | Uint8Array;
  /** The object identifiers of default extensions to omit. */
  readonly withoutExtensions?: readonly string[];
  /** Added last; can repeat an existing extension. */
  readonly extraExtensions?: readonly RawExtension[];
}

export interface MintedCertificate {
  readonly der: Uint8Array;
  /** One `CERTIFICATE` block with a final line feed. `encodeURIComponent(pem)` is nginx' `$ssl_client_escaped_cert`. */
  readonly pem: string;
  /** PKCS#8. */
  readonly privateKeyPem: string;
  /** base64url SHA-256 of the DER (`x5t#S256`). */
  readonly thumbprint: string;
  readonly keys: KeyPair;
  /** The DER of the subject. */
  readonly subject: Uint8Array;
  /** Writes `NAME.pem` and `NAME-key.pem`, and returns their paths. */
  writeTo(directory: string, name: string): { cert: string; key: string };
}

export interface TestCa extends MintedCertificate {
  issue(options?: CertificateOptions): MintedCertificate;
  /** Issues the certificate of an intermediate CA. */
  issueIntermediate(options?: CertificateOptions): TestCa;
}

interface Issuer {
  readonly subject: Uint8Array;
  readonly keys: KeyPair;
}

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

/** Creates a root. Keys of CAs are never shared, since CAs with the same key could verify each other's clients. */
export function createTestCa(options: CertificateOptions = {}): TestCa {
  return caFrom(mint({ subject: [['CN', 'Test CA']], ca: true, reuseKey: false, ...options }));
}

/** Creates a self-signed certificate, by default not a CA certificate. */
export function selfSigned(options: CertificateOptions = {}): MintedCertificate {
  return mint(options);
}

export function toPem(bytes: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** base64url SHA-256. */
export function thumbprintOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

function caFrom(certificate: MintedCertificate): TestCa {
  return {
    ...certificate,
    issue: (options = {}) => mint(options, certificate),
    issueIntermediate: (options = {}) => {
      const defaults = { subject: [['CN', 'Test intermediate CA']], ca: true, reuseKey: false } as const;
      return caFrom(mint({ ...defaults, ...options }, certificate));
    },
  };
}

function mint(options: CertificateOptions, ca?: Issuer): MintedCertificate {
  const { subject = [['CN', 'client']], keyType = 'ec-p256', signatureHash = 'SHA-256' } = options;
  const { reuseKey: reuse = keyType.startsWith('rsa') } = options;
  const keys = options.keys ?? keyPair(keyType, { reuse });
  const subjectDer = nameOf(subject);
  const issuer = ca ?? { subject: subjectDer, keys };
  const signingKey = issuer.keys.privateKey;
  const algorithm = signatureAlgorithm(signingKey, signatureHash);
  const tbsCertificate = encodeTbsCertificate(options, { subject: subjectDer, keys }, issuer, algorithm);
  const signature = bitString(signatureOver(tbsCertificate, signingKey, signatureHash));
  return minted(sequence(tbsCertificate, algorithm, signature), subjectDer, keys);
}

/** RFC 5280 §4.1. */
function encodeTbsCertificate(options: CertificateOptions, holder: Issuer, issuer: Issuer, algorithm: Uint8Array) {
  const { notBefore = new Date(Date.now() - HOUR), notAfter = new Date(Date.now() + YEAR), version = 3 } = options;
  const publicKey = options.publicKey ?? spki(holder.keys);
  const extensions = encodeExtensions(options, publicKey, spki(issuer.keys));
  return sequence(
    ...(version === 3 ? [der(0xa0, integer(2n))] : []),
    encodeSerial(options.serial),
    algorithm,
    options.issuerName ? nameOf(options.issuerName) : issuer.subject,
    sequence(time(notBefore), time(notAfter)),
    holder.subject,
    publicKey,
    ...(version === 3 ? [der(0xa3, sequence(...extensions))] : []),
  );
}

function encodeExtensions(options: CertificateOptions, publicKey: Uint8Array, issuerKey: Uint8Array): Uint8Array[] {
  const { ca = false, eku = ca ? 'none' : 'client', extraExtensions = [], rawBasicConstraints } = options;
  const { withoutExtensions = [], keyUsage: usages = ca ? ['keyCertSign', 'cRLSign'] : ['digitalSignature'] } = options;
  const defaults = [
    rawBasicConstraints
      ? rawExtension({ oid: '2.5.29.19', critical: true, value: rawBasicConstraints })
      : basicConstraints(ca, options.pathLength),
    ...keyUsage(usages),
    ...extendedKeyUsage(eku),
    ...subjectAlternativeNames(options),
    ...keyIdentifiers(publicKey, issuerKey),
  ].filter((extension) => !withoutExtensions.some((oid) => isExtension(extension, oid)));
  return [...defaults, ...extraExtensions.map(rawExtension)];
}

function encodeSerial(serial: bigint | Uint8Array = BigInt(`0x40${randomBytes(15).toString('hex')}`)): Uint8Array {
  return typeof serial === 'bigint' ? integer(serial) : der(0x02, serial);
}

function minted(certificate: Uint8Array, subject: Uint8Array, keys: KeyPair): MintedCertificate {
  const pem = toPem(certificate);
  const privateKeyPem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const writeTo = (directory: string, name: string) => {
    const paths = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}-key.pem`) };
    writeFileSync(paths.cert, pem);
    writeFileSync(paths.key, privateKeyPem, { mode: 0o600 });
    return paths;
  };
  return { der: certificate, pem, privateKeyPem, thumbprint: thumbprintOf(certificate), keys, subject, writeTo };
}

function nameOf(name: NameParts | Uint8Array): Uint8Array {
  return name instanceof Uint8Array ? name : encodeName(name);
}

function spki(keys: KeyPair): Uint8Array {
  return keys.publicKey.export({ type: 'spki', format: 'der' });
}
