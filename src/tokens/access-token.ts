import { parseJson } from '../clients/strict-json.ts';
import { CLIENT_ID_GRAMMAR, isClientId, isScopeToken } from '../oauth/grammar.ts';
import type { TokenReasonCode } from '../reasons/reasons.ts';
import { abbreviate } from '../text.ts';

/** What an access token states that decides where it is accepted (RFC 9068 §2.2). */
export interface AccessToken {
  readonly issuer: string;
  readonly subject: string;
  /** Matches `isClientId`. */
  readonly clientId: string;
  /** At least one. */
  readonly audience: readonly string[];
  readonly scope: readonly string[];
  readonly tokenId: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Seconds since the epoch. */
  readonly notBefore: number | undefined;
  /** Of the certificate that it is bound to (RFC 8705 §3.1), base64url SHA-256; undefined if anyone who has it can use it. */
  readonly certificateThumbprint: string | undefined;
}

/** An access token is not acceptable. The message is the reason, for the operator. */
export class AccessTokenError extends Error {
  override readonly name = 'AccessTokenError';
  readonly code: TokenReasonCode;
  /** The token, if this server signed it and it is well-formed: it is expired, not valid yet, or revoked. */
  readonly token: AccessToken | undefined;

  constructor(code: TokenReasonCode, reason: string, token?: AccessToken) {
    super(reason);
    this.code = code;
    this.token = token;
  }
}

/**
 * Parses the claims of an access token whose signature is verified. Other claims than those of {@link AccessToken} are
 * not read.
 *
 * @throws {AccessTokenError} when a claim is missing or is not what this server writes
 */
export function parseAccessToken(payload: string): AccessToken {
  const claims = parseObject(payload, 'payload');
  return {
    // RFC 9068 §2.2 requires it. The time from which the token is valid is `nbf`.
    issuedAt: requireTime(claims, 'iat'),
    issuer: requireText(claims, 'iss'),
    subject: requireText(claims, 'sub'),
    clientId: requireClientId(claims),
    audience: requireAudience(claims),
    scope: readScope(claims),
    tokenId: requireText(claims, 'jti'),
    expiresAt: requireTime(claims, 'exp'),
    notBefore: claims.nbf === undefined ? undefined : requireTime(claims, 'nbf'),
    certificateThumbprint: readConfirmation(claims),
  };
}

/** The members of a JSON object from outside. */
export type JsonMembers = Readonly<Record<string, unknown>>;

/**
 * Parses a JSON object without duplicate members (RFC 7515 §4, RFC 7519 §4).
 *
 * @param part of the token, for the reason
 * @throws {AccessTokenError}
 */
export function parseObject(text: string, part: 'header' | 'payload'): JsonMembers {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    // A RangeError: it is nested too deeply.
    throw new AccessTokenError(
      'token_malformed',
      `the ${part} is not valid JSON: ${error instanceof Error ? error.message : error}`,
    );
  }
  if (isObject(value)) return value;
  throw new AccessTokenError('token_malformed', `the ${part} is not a JSON object`);
}

function isObject(value: unknown): value is JsonMembers {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function requireText(claims: JsonMembers, name: string): string {
  const value = claims[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new AccessTokenError(
    'token_malformed',
    value === undefined ? `has no ${name}` : `its ${name} is not a non-empty string`,
  );
}

function requireClientId(claims: JsonMembers): string {
  const clientId = requireText(claims, 'client_id');
  if (isClientId(clientId)) return clientId;
  throw new AccessTokenError('token_malformed', `its client_id is not ${CLIENT_ID_GRAMMAR}`);
}

/** RFC 7519 §4.1.3: one string, or a list of them. */
function requireAudience({ aud }: JsonMembers): readonly string[] {
  if (aud === undefined) throw new AccessTokenError('token_malformed', 'has no aud');
  const audience: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audience.length > 0 && audience.every(isText)) return audience;
  throw new AccessTokenError('token_malformed', 'its aud is neither a non-empty string nor a list of them');
}

/** RFC 8693 §4.2: separated by spaces. Clients can be registered for a list instead (`access_token_scope_claim`). */
function readScope({ scope }: JsonMembers): readonly string[] {
  if (scope === undefined) return [];
  const tokens: unknown = typeof scope === 'string' ? scope.split(' ') : scope;
  if (Array.isArray(tokens) && tokens.every((token) => isText(token) && isScopeToken(token))) return tokens;
  throw new AccessTokenError('token_malformed', 'its scope is neither a list of scope tokens nor a string of them');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** The end of the year 9999, the last time that RFC 3339 can express. */
const LAST_TIME = 253_402_300_799;

/** A NumericDate (RFC 7519 §2); this server writes integers. */
function requireTime(claims: JsonMembers, name: string): number {
  const value = claims[name];
  if (value === undefined) throw new AccessTokenError('token_malformed', `has no ${name}`);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LAST_TIME) return value;
  const written = abbreviate(JSON.stringify(value));
  throw new AccessTokenError(
    'token_malformed',
    `its ${name} (${written}) is not an integer of seconds since the epoch`,
  );
}

/**
 * The certificate that the token is bound to (RFC 8705 §3.1). With another member in `cnf` (RFC 7800 §3.1), the token
 * would be bound to something that is not verified here.
 */
function readConfirmation({ cnf }: JsonMembers): string | undefined {
  if (cnf === undefined) return undefined;
  if (!isObject(cnf)) throw new AccessTokenError('token_malformed', 'its cnf is not a JSON object');
  const { 'x5t#S256': thumbprint, ...others } = cnf;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw new AccessTokenError('token_malformed', `its cnf has the member ${JSON.stringify(abbreviate(other))}`);
  if (typeof thumbprint === 'string' && /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(thumbprint)) return thumbprint;
  throw new AccessTokenError('token_malformed', 'its cnf has no SHA-256 thumbprint of a certificate in x5t#S256');
}
