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

/** Without any of them: a client's end-entity certificate, EC P-256, valid from an hour ago and for a year. */
export interface CertificateOptions extends SubjectAlternativeNames {
  /** RDNs in DER order, or the DER of a whole Name. Default: `CN=client`. */
  readonly subject?: NameParts | Uint8Array;
  readonly keyType?: KeyType;
  /** Whether certificates of this key type share one key. Default: RSA does, which is slow to generate. */
  readonly reuseKey?: boolean;
  /** This key pair, e.g. `keys` of the certificate that is being renewed. */
  readonly keys?: KeyPair;
  /** Certify this SubjectPublicKeyInfo instead of the key pair's (see `rsaPublicKey`); no use in a handshake. */
  readonly publicKey?: Uint8Array;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Default: `client`, and `none` for a CA. */
  readonly eku?: ExtendedKeyUsage;
  readonly ca?: boolean;
  /** Default: `digitalSignature`, and `keyCertSign` and `cRLSign` for a CA. An empty list leaves the extension out. */
  readonly keyUsage?: readonly KeyUsage[];
  readonly pathLength?: number;
  /** The octets in the place of a well-formed basicConstraints. */
  readonly rawBasicConstraints?: Uint8Array;
  /** A number, or the content octets of the INTEGER (negative, zero, padded). Default: random. */
  readonly serial?: bigint | Uint8Array;
  readonly signatureHash?: SignatureHash;
  /** X.509 v1 has neither a version field nor extensions. Default: 3. */
  readonly version?: 1 | 3;
  /** The issuer as it stands in the certificate. Default: the subject of who issues it. */
  readonly issuerName?: NameParts | Uint8Array;
  /** The object identifiers of those that are left out, though they would be written. */
  readonly withoutExtensions?: readonly string[];
  /** Come last, and may repeat one that is there already. */
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
  /** An intermediate. */
  issueIntermediate(options?: CertificateOptions): TestCa;
}

interface Issuer {
  readonly subject: Uint8Array;
  readonly keys: KeyPair;
}

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

/** A root. Its key is always its own: two authorities with one key would vouch for each other's clients. */
export function createTestCa(options: CertificateOptions = {}): TestCa {
  return caFrom(mint({ subject: [['CN', 'Test CA']], ca: true, reuseKey: false, ...options }));
}

/** A certificate that its own key signs, by default no CA. */
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
  const usual = [
    rawBasicConstraints
      ? rawExtension({ oid: '2.5.29.19', critical: true, value: rawBasicConstraints })
      : basicConstraints(ca, options.pathLength),
    ...keyUsage(usages),
    ...extendedKeyUsage(eku),
    ...subjectAlternativeNames(options),
    ...keyIdentifiers(publicKey, issuerKey),
  ].filter((extension) => !withoutExtensions.some((oid) => isExtension(extension, oid)));
  return [...usual, ...extraExtensions.map(rawExtension)];
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
