import type { KeyObject, SigningOptions } from 'node:crypto';
import { documentationUrl } from '../../documentation.ts';
import { ecKey, ed25519Key, type KeyKind, mlDsaKey, rsaKey } from './key-kind.ts';

/** How the keys of one algorithm sign (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2, RFC 9964 §3). */
interface SigningAlgorithmDescriptor extends KeyKind {
  /** Null if the algorithm hashes the message itself. */
  readonly digest: Digest | null;
  readonly options: () => SigningOptions;
  /** Other requests would wait for a slow signature on the event loop: docs/decisions/0013-own-signer.md has the figures. */
  readonly signsIn: 'event loop' | 'thread pool';
  /** The size of a token, if it is one that few verifiers and header buffers accept. */
  readonly largeTokens?: string;
}

type Digest = 'sha256' | 'sha384' | 'sha512';

/** RFC 7518 §3.4: both integers, each as long as the order of the curve. */
const fixedLength = () => ({ dsaEncoding: 'ieee-p1363' }) as const;

/** RFC 7518 §3.5: MGF1 with the same hash function, which is OpenSSL's default, and a salt as long as its output. */
const pss = () => {
  // Not imported: see key-kind.ts.
  const { constants } = process.getBuiltinModule('node:crypto');
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
};
const noOptions = () => ({});

const es256 = { ...ecKey('prime256v1'), digest: 'sha256', options: fixedLength, signsIn: 'event loop' } as const;
const es384 = { ...ecKey('secp384r1'), digest: 'sha384', options: fixedLength, signsIn: 'thread pool' } as const;
const es512 = { ...ecKey('secp521r1'), digest: 'sha512', options: fixedLength, signsIn: 'thread pool' } as const;
const ed25519 = { ...ed25519Key, digest: null, options: noOptions, signsIn: 'event loop' } as const;
const rsa = { ...rsaKey, signsIn: 'thread pool' } as const;

/** Pure ML-DSA with an empty context (RFC 9964 §3), which is OpenSSL's default. */
const mlDsa = { digest: null, options: noOptions, signsIn: 'thread pool' } as const;

/** The first algorithm that a key suits is its default. */
export const signingAlgorithms = {
  ES256: es256,
  ES384: es384,
  ES512: es512,
  // One algorithm under two names: RFC 9864 replaces the first. Verifiers know one of them or both.
  EdDSA: ed25519,
  Ed25519: ed25519,
  RS256: { ...rsa, digest: 'sha256', options: noOptions },
  RS384: { ...rsa, digest: 'sha384', options: noOptions },
  RS512: { ...rsa, digest: 'sha512', options: noOptions },
  PS256: { ...rsa, digest: 'sha256', options: pss },
  PS384: { ...rsa, digest: 'sha384', options: pss },
  PS512: { ...rsa, digest: 'sha512', options: pss },
  'ML-DSA-44': { ...mlDsa, ...mlDsaKey('ml-dsa-44'), largeTokens: '3.7 KB' },
  'ML-DSA-65': { ...mlDsa, ...mlDsaKey('ml-dsa-65'), largeTokens: '4.9 KB' },
} as const satisfies Record<string, SigningAlgorithmDescriptor>;

export type SigningAlgorithm = keyof typeof signingAlgorithms;

export const signingAlgorithmNames = Object.keys(signingAlgorithms) as readonly SigningAlgorithm[];

/** The algorithms that a key suits, its default first. */
export function algorithmsFor(key: KeyObject): readonly SigningAlgorithm[] {
  return signingAlgorithmNames.filter((name) => signingAlgorithms[name].suits(key));
}

/** What an operator should know before choosing the algorithm; undefined if it is established. */
export function experimentalNote(algorithm: SigningAlgorithm): string | undefined {
  const { largeTokens }: SigningAlgorithmDescriptor = signingAlgorithms[algorithm];
  if (largeTokens === undefined) return undefined;
  const page = documentationUrl('keys.md');
  return `few verifiers know it, and a token of ${largeTokens} does not fit into every header buffer ("ML-DSA" in ${page})`;
}
