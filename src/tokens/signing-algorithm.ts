import type { KeyObject } from 'node:crypto';

/** Whether a key suits an algorithm (RFC 7518 §3.1, RFC 8037 §3.1). The first algorithm that it suits is its default. */
export const signingAlgorithms = {
  ES256: isOnCurve('prime256v1'),
  ES384: isOnCurve('secp384r1'),
  ES512: isOnCurve('secp521r1'),
  EdDSA: (key: KeyObject) => key.asymmetricKeyType === 'ed25519',
  RS256: isRsa,
  RS384: isRsa,
  RS512: isRsa,
  PS256: isRsa,
  PS384: isRsa,
  PS512: isRsa,
} as const satisfies Record<string, (key: KeyObject) => boolean>;

export type SigningAlgorithm = keyof typeof signingAlgorithms;

export const signingAlgorithmNames = Object.keys(signingAlgorithms) as readonly SigningAlgorithm[];

function isOnCurve(curve: string): (key: KeyObject) => boolean {
  return (key) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve;
}

function isRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}
