import type { KeyObject } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';
import type { CertificateStructure } from './certificate-structure.ts';
import { BasicConstraintsExtension, ExtendedKeyUsageExtension } from './peculiar.ts';

const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const MIN_RSA_EXPONENT = 65537n;

/**
 * Refuses a certificate that is too weak, or not meant, to identify a client, whoever vouches for it.
 *
 * @throws {CertificateError} naming the rule
 */
export function requireAcceptableClientCertificate(structure: CertificateStructure, publicKey: KeyObject): void {
  if (structure.version !== 3) throw new CertificateError(`is X.509 v${structure.version}; only v3 is accepted`);
  requireEndEntity(structure);
  requireClientPurpose(structure);
  requireStrongKey(publicKey);
}

function requireEndEntity({ extensions }: CertificateStructure): void {
  const extension = extensions.get(BASIC_CONSTRAINTS);
  if (extension && new BasicConstraintsExtension(extension.encoded).ca) {
    throw new CertificateError('is a CA certificate (basicConstraints CA:TRUE); a client needs CA:FALSE');
  }
}

/** RFC 5280 §4.2.1.12: without the extension every purpose is allowed; with it, only those that it lists. */
function requireClientPurpose({ extensions }: CertificateStructure): void {
  const extension = extensions.get(EXTENDED_KEY_USAGE);
  if (!extension) return;
  const { usages } = new ExtendedKeyUsageExtension(extension.encoded);
  if (!usages.some((usage) => String(usage) === CLIENT_AUTH)) {
    throw new CertificateError('is not meant for clients: its extended key usage lacks clientAuth');
  }
}

function requireStrongKey(key: KeyObject): void {
  const type = key.asymmetricKeyType;
  if (type === undefined) throw new CertificateError('has a public key of an unknown kind');
  const rule = keyRules[type];
  if (!rule) throw new CertificateError(`has a public key of kind ${type}, which is not accepted`);
  rule(key.asymmetricKeyDetails ?? {});
}

type KeyDetails = NonNullable<KeyObject['asymmetricKeyDetails']>;

function requireRsa({ modulusLength = 0, publicExponent = 0n }: KeyDetails): void {
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS) {
    throw new CertificateError(
      `has an RSA key of ${modulusLength} bits; ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are accepted`,
    );
  }
  if (publicExponent < MIN_RSA_EXPONENT || publicExponent % 2n === 0n) {
    throw new CertificateError(`has an RSA key with exponent ${publicExponent}; odd and at least 65537 is accepted`);
  }
}

const acceptedCurves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** A curve that is not named (explicit parameters) could be anybody's: RFC 5480 §2.1.1. */
function requireNamedCurve({ namedCurve }: KeyDetails): void {
  if (namedCurve === undefined || !acceptedCurves.has(namedCurve)) {
    throw new CertificateError(
      `has an EC key on ${namedCurve ?? 'an unnamed curve'}; P-256, P-384, P-521 are accepted`,
    );
  }
}

const always = () => {};

/** The kinds of public key that we accept, as Node names them. */
const keyRules: Readonly<Record<string, (details: KeyDetails) => void>> = {
  rsa: requireRsa,
  'rsa-pss': requireRsa,
  ec: requireNamedCurve,
  ed25519: always,
  ed448: always,
  'ml-dsa-44': always,
  'ml-dsa-65': always,
  'ml-dsa-87': always,
};
