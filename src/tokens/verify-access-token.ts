import { compactVerify, errors } from 'jose';
import { abbreviate } from '../text.ts';
import { type AccessToken, AccessTokenError, type JsonMembers, parseAccessToken, parseObject } from './access-token.ts';
import type { PublishedKey } from './published-key.ts';

/** Finds a key of this server by its `kid`. Throws OAuthError `temporarily_unavailable` if the keys are not known. */
export type FindKey = (keyId: string) => PublishedKey | undefined;

/** A token and the key that signed it. */
export interface SignedAccessToken {
  readonly token: AccessToken;
  readonly key: PublishedKey;
}

/** In characters, which are ASCII. Proxies accept no longer header field by default. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/**
 * Verifies that this server signed a token, and parses it (RFC 9068 §4, RFC 7515 §5.2). Only a token as `SigningKey`
 * writes them is accepted. Everything here stays true as long as the key may be used; the lifetime, the client and the
 * binding to a certificate are for the caller to check.
 *
 * @throws {AccessTokenError}
 */
export async function verifyAccessToken(token: string, issuer: string, findKey: FindKey): Promise<SignedAccessToken> {
  // 1. Split the serialization.
  const [header, payload] = decodeSegments(token);
  // 2. Find the key that the header names.
  const key = requireKey(requireHeader(header), findKey);
  // 3. Verify the signature.
  await verifySignature(token, key);
  // 4. Parse the claims.
  const parsed = parseAccessToken(payload);
  if (parsed.issuer === issuer) return { token: parsed, key };
  throw new AccessTokenError('token_issuer_mismatch', `its iss is ${quote(parsed.issuer)}, and not ${issuer}`);
}

/**
 * The texts of the header and of the payload of a JWS in compact serialization (RFC 7515 §7.1).
 *
 * @throws {AccessTokenError}
 */
export function decodeSegments(token: string): readonly [header: string, payload: string] {
  if (token.length > MAX_TOKEN_LENGTH)
    throw new AccessTokenError(
      'token_malformed',
      `is ${token.length} characters long; at most ${MAX_TOKEN_LENGTH} are accepted`,
    );
  const [header, payload, signature, ...others] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || others.length > 0)
    throw new AccessTokenError('token_malformed', 'is not a signed JWT: it does not consist of three segments');
  decodeBase64url(signature, 'signature');
  return [decodeText(header, 'header'), decodeText(payload, 'payload')];
}

type Segment = 'header' | 'payload' | 'signature';

/** Rejects every other spelling of the same bytes, so that a token has exactly one. */
function decodeBase64url(text: string, segment: Segment): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (text !== '' && bytes.toString('base64url') === text) return bytes;
  throw new AccessTokenError('token_malformed', `the ${segment} is not base64url without padding`);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeText(text: string, segment: Segment): string {
  const bytes = decodeBase64url(text, segment);
  try {
    return utf8.decode(bytes);
  } catch {
    throw new AccessTokenError('token_malformed', `the ${segment} is not UTF-8`);
  }
}

/** The header of our own is a tenth as long. */
const MAX_HEADER_LENGTH = 1024;

interface AccessTokenHeader {
  readonly alg: string;
  readonly kid: string;
}

/** Accepts the parameters of our own tokens and no others: none that names or contains a key, and no `crit`. */
function requireHeader(text: string): AccessTokenHeader {
  if (text.length > MAX_HEADER_LENGTH)
    throw new AccessTokenError('token_malformed', `the header is longer than ${MAX_HEADER_LENGTH} characters`);
  const { alg, kid, typ, ...others } = parseObject(text, 'header');
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw new AccessTokenError('token_malformed', `the header has the parameter ${quote(other)}`);
  requireType(typ);
  return { alg: requireParameter(alg, 'alg'), kid: requireParameter(kid, 'kid') };
}

/** RFC 9068 §4: one of two names of a media type, which are case-insensitive (RFC 7515 §4.1.9). */
function requireType(typ: unknown): void {
  const type = requireParameter(typ, 'typ').toLowerCase();
  if (type === 'at+jwt' || type === 'application/at+jwt') return;
  throw new AccessTokenError('token_type_wrong', `is not an access token: its typ is ${quote(typ)}, and not at+jwt`);
}

function requireParameter(value: JsonMembers[string], name: string): string {
  if (typeof value === 'string') return value;
  throw new AccessTokenError(
    'token_malformed',
    value === undefined ? `the header has no ${name}` : `its ${name} is not a string`,
  );
}

/** A key has one algorithm (RFC 8725 §3.1). */
function requireKey({ alg, kid }: AccessTokenHeader, findKey: FindKey): PublishedKey {
  const key = findKey(kid);
  if (!key) throw new AccessTokenError('token_key_unknown', `no key of this server has the kid ${quote(kid)}`);
  if (alg === key.algorithm) return key;
  throw new AccessTokenError(
    'token_algorithm_mismatch',
    `its alg is ${quote(alg)}, and its key is for ${key.algorithm}`,
  );
}

/** @throws {AccessTokenError} */
export async function verifySignature(token: string, { algorithm, publicJwk }: PublishedKey): Promise<void> {
  try {
    await compactVerify(token, publicJwk, { algorithms: [algorithm] });
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed)
      throw new AccessTokenError('token_signature_invalid', 'the signature is not one of the key that its kid names');
    throw error instanceof errors.JOSEError
      ? new AccessTokenError('token_malformed', `is not a JWS: ${error.message}`)
      : error;
  }
}

function quote(value: unknown): string {
  return abbreviate(JSON.stringify(value));
}
