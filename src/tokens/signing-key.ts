import { createPrivateKey, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { FileContentError } from '../files/file-content-error.ts';
import { parsePrivateKeyFile } from '../files/private-key.ts';
import { abbreviate } from '../text.ts';
import type { AccessTokenClaims } from './access-token-claims.ts';
import { type SigningAlgorithm, signingAlgorithmNames, signingAlgorithms } from './algorithms/signing-algorithm.ts';
import { createJwsSigner } from './jws-signer.ts';
import type { PublishedKey } from './keyring/keyring.ts';

/** A key that signs access tokens. The private key never leaves this object. */
export interface SigningKey extends PublishedKey {
  /** Signs an access token (RFC 9068 §2.1); a promise unless the signature is computed at once. */
  sign(claims: AccessTokenClaims): string | Promise<string>;
  /** Signs an introspection response (RFC 9701 §5); as `sign`. */
  signIntrospectionResponse(claims: IntrospectionResponseClaims): string | Promise<string>;
}

/** The claims of an introspection response (RFC 9701 §5). It is no access token: it has neither `sub` nor `exp`. */
export interface IntrospectionResponseClaims {
  readonly iss: string;
  /** The `client_id` of the caller. */
  readonly aud: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly token_introspection: Readonly<Record<string, unknown>>;
}

/** The private key is unusable. The message contains the cause and the fix. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
}

/** The key of one file, or every problem of it: each is one sentence part that follows the name of the file. */
export type SigningKeyResult =
  | { readonly ok: true; readonly key: SigningKey; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Which algorithm a key is for if its JWK has no `alg`. */
export interface AlgorithmChoice {
  /** A key for another algorithm has a problem. */
  readonly required?: SigningAlgorithm | undefined;
  /** Chosen if the key suits it. Otherwise, the default of its type. */
  readonly preferred?: SigningAlgorithm | undefined;
}

/**
 * Parses the private key of one file: PEM (PKCS #8, SEC 1, PKCS #1) or JWK.
 *
 * @returns a key or all problems, which never quote the key
 */
export async function parseSigningKey(text: string, choice: AlgorithmChoice = {}): Promise<SigningKeyResult> {
  const warnings: string[] = [];
  try {
    const key = await readSigningKey(text, choice.required, (part) => warnings.push(part));
    return { ok: true, key, warnings };
  } catch (error) {
    if (error instanceof SigningKeyError) return { ok: false, problems: [error.message] };
    throw error;
  }
}

/**
 * Parses a private key: PEM (PKCS #8, SEC 1, PKCS #1) or JWK.
 *
 * @param algorithm the one to sign with, or undefined for the default of the key type
 * @param warn called for each part of the text that is not read
 * @throws {SigningKeyError} with the cause and the fix
 */
export async function readSigningKey(
  text: string,
  algorithm: SigningAlgorithm | undefined,
  warn: (part: string) => void = () => {},
): Promise<SigningKey> {
  const trimmed = text.trim();
  const jwk = trimmed.startsWith('{') ? parseJwk(trimmed) : undefined;
  const key = jwk ? readJwk(jwk) : readPem(trimmed, warn);
  const stated = jwk?.alg === undefined ? undefined : requireKnown(String(jwk.alg));
  if (stated && algorithm && stated !== algorithm) {
    throw new SigningKeyError(`the key is for ${stated} (its "alg"), and COUNTERSIGN_SIGNING_ALG is ${algorithm}`);
  }
  return signingKey(key, chooseAlgorithm(key, algorithm ?? stated));
}

async function signingKey(key: KeyObject, algorithm: SigningAlgorithm): Promise<SigningKey> {
  const publicMembers = createPublicKey(key).export({ format: 'jwk' }) as JWK;
  const keyId = await calculateJwkThumbprint(publicMembers);
  const signAccessToken = createJwsSigner(algorithm, { typ: 'at+jwt', kid: keyId }, key);
  const signResponse = createJwsSigner(algorithm, { typ: 'token-introspection+jwt', kid: keyId }, key);
  return {
    algorithm,
    keyId,
    publicJwk: { ...publicMembers, use: 'sig', alg: algorithm, kid: keyId },
    sign: (claims) => signAccessToken(JSON.stringify(claims)),
    signIntrospectionResponse: (claims) => signResponse(JSON.stringify(claims)),
  };
}

function readPem(text: string, warn: (part: string) => void): KeyObject {
  try {
    const { key, unread } = parsePrivateKeyFile(Buffer.from(text), 'PEM or JWK');
    for (const part of unread) warn(part);
    return key;
  } catch (error) {
    if (error instanceof FileContentError) throw new SigningKeyError(error.message);
    throw error;
  }
}

function readJwk(jwk: webcrypto.JsonWebKey): KeyObject {
  if ('keys' in jwk)
    throw new SigningKeyError('is a JWK Set; set it to one of its keys, a JWK with its private members');
  if (jwk.d === undefined) throw new SigningKeyError('is a JWK without the private key: it has no "d"');
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    const type = [jwk.kty, jwk.crv].filter((name) => typeof name === 'string').join(' ');
    throw new SigningKeyError(`is a JWK (${abbreviate(type)}) that is damaged or of an unsupported type`);
  }
}

function parseJwk(text: string): webcrypto.JsonWebKey {
  try {
    return JSON.parse(text) as webcrypto.JsonWebKey;
  } catch {
    throw new SigningKeyError('the key looks like a JWK but is not valid JSON');
  }
}

function chooseAlgorithm(key: KeyObject, wanted: SigningAlgorithm | undefined): SigningAlgorithm {
  const fitting = signingAlgorithmNames.filter((name) => signingAlgorithms[name].suits(key));
  const [byDefault] = fitting;
  if (!byDefault) throw new SigningKeyError(`unsupported key: ${describe(key)}`);
  if (wanted && !fitting.includes(wanted)) {
    throw new SigningKeyError(`${wanted} is incompatible with the key (${describe(key)}); use ${fitting.join(', ')}`);
  }
  return wanted ?? byDefault;
}

function requireKnown(name: string): SigningAlgorithm {
  const known = signingAlgorithmNames.find((algorithm) => algorithm === name);
  if (known) return known;
  throw new SigningKeyError(`unsupported algorithm "${name}"; use one of ${signingAlgorithmNames.join(', ')}`);
}

function describe(key: KeyObject): string {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  return [key.asymmetricKeyType, namedCurve, modulusLength && `${modulusLength} bits`].filter(Boolean).join(' ');
}
