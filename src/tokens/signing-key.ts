import type { KeyObject } from 'node:crypto';
import { FileContentError } from '../files/file-content-error.ts';
import type { AccessTokenClaims } from './access-token-claims.ts';
import {
  algorithmsFor,
  experimentalNote,
  type SigningAlgorithm,
  signingAlgorithmNames,
} from './algorithms/signing-algorithm.ts';
import { createJwsSigner } from './jws-signer.ts';
import { publicJwkOf } from './key-jwk.ts';
import type { PublishedKey } from './published-key.ts';
import { describeKey, keyProblems, signatureProblem } from './signing-key-checks.ts';
import { type ParsedKey, parseKeyText } from './signing-key-text.ts';

/** A key that signs access tokens. The private key never leaves this object. */
export interface SigningKey extends PublishedKey {
  /** Signs an access token (RFC 9068 §2.1); a promise unless the signature is computed at once. */
  sign(claims: AccessTokenClaims): string | Promise<string>;
  /** Signs an introspection response (RFC 9701 §5); as `sign`. */
  signIntrospectionResponse(claims: IntrospectionResponseClaims): string | Promise<string>;
}

/** The claims of an introspection response (RFC 9701 §5). It is not an access token: it has neither `sub` nor `exp`. */
export interface IntrospectionResponseClaims {
  readonly iss: string;
  /** The `client_id` of the caller. */
  readonly aud: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly token_introspection: Readonly<Record<string, unknown>>;
}

/** The key of one file, or every problem of it. A problem and a warning are predicates of the file. */
export type SigningKeyResult =
  | { readonly ok: true; readonly key: SigningKey; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Which algorithm a key is for if its JWK has no `alg`. */
export interface AlgorithmChoice {
  /** A key for another algorithm has a problem. */
  readonly required?: SigningAlgorithm | undefined;
  /** What requires it, for messages. Default: `COUNTERSIGN_SIGNING_ALG`. */
  readonly requiredBy?: string | undefined;
  /** Chosen if the key suits it. Otherwise, the default of its type. */
  readonly preferred?: SigningAlgorithm | undefined;
}

/** The private key is unusable. The message contains all problems. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/**
 * Parses a private key, as {@link parseSigningKey}.
 *
 * @param algorithm the one to sign with, or undefined for the default of the key type
 * @param warn called with each warning
 * @throws {SigningKeyError} with all problems
 */
export async function readSigningKey(
  text: string,
  algorithm: SigningAlgorithm | undefined,
  warn: (warning: string) => void = () => {},
): Promise<SigningKey> {
  const parsed = await parseSigningKey(text, { required: algorithm });
  if (!parsed.ok) throw new SigningKeyError(parsed.problems);
  for (const warning of parsed.warnings) warn(warning);
  return parsed.key;
}

/**
 * Parses the private key of one file: PEM (PKCS #8, SEC 1, PKCS #1) or JWK.
 *
 * @returns a key, or all problems, which never quote the key
 */
export async function parseSigningKey(text: string, choice: AlgorithmChoice = {}): Promise<SigningKeyResult> {
  const parsed = tryParse(text);
  const { privateKey, publicKey } = parsed;
  const algorithm = publicKey && chooseAlgorithm(publicKey, parsed.algorithm, choice);
  const problems = [
    ...parsed.problems,
    ...(publicKey ? keyProblems(publicKey) : []),
    ...(typeof algorithm === 'object' ? algorithm.problems : []),
  ];
  if (!privateKey || typeof algorithm !== 'string' || problems.length > 0) return { ok: false, problems };
  const key = await createSigningKey(privateKey, algorithm);
  const problem = await signatureProblem(privateKey, key);
  if (problem !== undefined) return { ok: false, problems: [problem] };
  return { ok: true, key, warnings: [...parsed.warnings, ...warningsOf(parsed, key)] };
}

function tryParse(text: string): ParsedKey {
  try {
    return parseKeyText(text);
  } catch (error) {
    if (error instanceof FileContentError) return { problems: [error.message], warnings: [] };
    throw error;
  }
}

/** The algorithm of a key, or why there is none. */
function chooseAlgorithm(
  key: KeyObject,
  stated: string | undefined,
  { required, requiredBy = 'COUNTERSIGN_SIGNING_ALG', preferred }: AlgorithmChoice,
): SigningAlgorithm | { readonly problems: readonly string[] } {
  const suitable = algorithmsFor(key);
  const [byDefault] = suitable;
  if (!byDefault) return { problems: [`unsupported key: ${describeKey(key)}; ${SUPPORTED_KEYS}`] };
  const known = signingAlgorithmNames.find((name) => name === stated);
  const usable = `use ${suitable.join(', ')}`;
  const problems: string[] = [];
  if (stated !== undefined && !known) problems.push(`unsupported algorithm ${JSON.stringify(stated)}; ${usable}`);
  if (known && required && known !== required)
    problems.push(`the key is for ${known} (its "alg"), and ${requiredBy} is ${required}`);
  for (const wanted of new Set([known, required])) {
    if (wanted && !suitable.includes(wanted))
      problems.push(`${wanted} is incompatible with the key (${describeKey(key)}); ${usable}`);
  }
  if (problems.length > 0) return { problems };
  return known ?? required ?? suitable.find((name) => name === preferred) ?? byDefault;
}

const SUPPORTED_KEYS = 'use an EC key on P-256, P-384 or P-521, an Ed25519 key, an RSA key, or ML-DSA-44 or ML-DSA-65';

async function createSigningKey(key: KeyObject, algorithm: SigningAlgorithm): Promise<SigningKey> {
  const publicJwk = await publicJwkOf(key, algorithm);
  const { kid } = publicJwk;
  const signAccessToken = createJwsSigner(algorithm, { typ: 'at+jwt', kid }, key);
  const signResponse = createJwsSigner(algorithm, { typ: 'token-introspection+jwt', kid }, key);
  return {
    algorithm,
    keyId: kid,
    publicJwk,
    sign: (claims) => signAccessToken(JSON.stringify(claims)),
    signIntrospectionResponse: (claims) => signResponse(JSON.stringify(claims)),
  };
}

function warningsOf({ keyId: stated }: ParsedKey, { algorithm, keyId }: SigningKey): readonly string[] {
  const note = experimentalNote(algorithm);
  return [
    ...(stated === undefined || stated === keyId
      ? []
      : [`its "kid" is not used: the kid of a key is its thumbprint (RFC 7638), ${keyId}`]),
    ...(note === undefined ? [] : [`${algorithm} is experimental: ${note}`]),
  ];
}
