import { constants, type KeyObject, type SigningOptions } from 'node:crypto';

/** How the keys of one algorithm sign (RFC 7518 §3.1, RFC 8037 §3.1). */
interface SigningAlgorithmDescriptor {
  /** Whether a key suits the algorithm. The first algorithm that a key suits is its default. */
  readonly suits: (key: KeyObject) => boolean;
  /** Null if the algorithm hashes the message itself. */
  readonly digest: Digest | null;
  readonly options: SigningOptions;
  /** Other requests would wait for a slow signature on the event loop: docs/decisions/0013-own-signer.md has the figures. */
  readonly signsIn: 'event loop' | 'thread pool';
}

type Digest = 'sha256' | 'sha384' | 'sha512';

/** RFC 7518 §3.4: both integers, each as long as the order of the curve. */
const fixedLength = { dsaEncoding: 'ieee-p1363' } as const;

/** RFC 7518 §3.5: MGF1 with the same hash function, which is OpenSSL's default, and a salt as long as its output. */
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } as const;

export const signingAlgorithms = {
  ES256: { suits: isOnCurve('prime256v1'), digest: 'sha256', options: fixedLength, signsIn: 'event loop' },
  ES384: { suits: isOnCurve('secp384r1'), digest: 'sha384', options: fixedLength, signsIn: 'thread pool' },
  ES512: { suits: isOnCurve('secp521r1'), digest: 'sha512', options: fixedLength, signsIn: 'thread pool' },
  EdDSA: { suits: isEd25519, digest: null, options: {}, signsIn: 'event loop' },
  RS256: { suits: isRsa, digest: 'sha256', options: {}, signsIn: 'thread pool' },
  RS384: { suits: isRsa, digest: 'sha384', options: {}, signsIn: 'thread pool' },
  RS512: { suits: isRsa, digest: 'sha512', options: {}, signsIn: 'thread pool' },
  PS256: { suits: isRsa, digest: 'sha256', options: pss, signsIn: 'thread pool' },
  PS384: { suits: isRsa, digest: 'sha384', options: pss, signsIn: 'thread pool' },
  PS512: { suits: isRsa, digest: 'sha512', options: pss, signsIn: 'thread pool' },
} as const satisfies Record<string, SigningAlgorithmDescriptor>;

export type SigningAlgorithm = keyof typeof signingAlgorithms;

export const signingAlgorithmNames = Object.keys(signingAlgorithms) as readonly SigningAlgorithm[];

function isOnCurve(curve: string): (key: KeyObject) => boolean {
  return (key) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve;
}

function isEd25519(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ed25519';
}

function isRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}
