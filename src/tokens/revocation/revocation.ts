import { hash } from 'node:crypto';
import { canonicalUri } from '../../oauth/canonical-uri.ts';
import type { RevocableToken } from './token-revocations.ts';

/** What a revocation names: one token by its `jti`, or the tokens of a client or for an audience. */
export interface RevokedSubject {
  readonly kind: RevocationKind;
  readonly value: string;
}

export const revocationKinds = ['jti', 'client', 'audience'] as const;

type RevocationKind = (typeof revocationKinds)[number];

/** Revoked: the tokens of a subject that were issued until a moment. */
export interface Revocation extends RevokedSubject {
  /** In seconds since the epoch. A token is revoked if its `iat` is not later; {@link ALL} for a single token. */
  readonly before: number;
  /** When the last of its tokens has expired everywhere, in seconds since the epoch. */
  readonly expiresAt: number;
}

/** Later than any `iat`, in 32 bits. */
export const ALL = 0xffff_ffff;

/** The longest lifetime of a token that a record may have. */
export const LONGEST_LIFETIME_SECONDS = 24 * 3600;
/** Between any two clocks of replicas and of Redis. */
export const MAX_CLOCK_DIFFERENCE_SECONDS = 300;
/** A verifier accepts a token for 5 s after it has expired. */
const EXPIRY_TOLERANCE_SECONDS = MAX_CLOCK_DIFFERENCE_SECONDS + 5;

/** @param expiresAt `exp` of the token, or the latest that it may have, in seconds since the epoch */
export function revokedToken(jti: string, expiresAt: number): Revocation {
  return { kind: 'jti', value: jti, before: ALL, expiresAt: expiresAt + EXPIRY_TOLERANCE_SECONDS };
}

/** @param before the last `iat` that is revoked, in seconds since the epoch */
export function cutOff(subject: RevokedSubject, before: number): Revocation {
  return { ...subject, before, expiresAt: before + LONGEST_LIFETIME_SECONDS + EXPIRY_TOLERANCE_SECONDS };
}

/** Each subject by which a token may be revoked. */
export function subjectsOf({ tokenId, clientId, audience }: RevocableToken): readonly RevokedSubject[] {
  return [
    { kind: 'jti', value: tokenId },
    { kind: 'client', value: clientId },
    ...audience.map((value) => ({ kind: 'audience', value }) as const),
  ];
}

/**
 * Identifies a subject in memory and in the keys of Redis, which therefore contain nothing of a token: SHA-256. Equivalent
 * audiences are one subject: to revoke `https://api.example/` is to revoke the tokens for `https://api.example`.
 */
export function digestOf({ kind, value }: RevokedSubject): Buffer {
  return hash('sha256', `${kind}:${kind === 'audience' ? canonicalUri(value) : value}`, 'buffer');
}

/** Why a token is revoked, as the message of an `AccessTokenError`. */
export function revocationReason({ kind, value }: RevokedSubject, before: number): string {
  if (kind === 'jti') return 'is revoked';
  const whose = kind === 'client' ? `of client ${JSON.stringify(value)}` : `for ${JSON.stringify(value)}`;
  return `is revoked, as every token ${whose} that was issued until ${new Date(before * 1000).toISOString()}`;
}
