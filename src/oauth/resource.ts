import { OAuthError } from './oauth-error.ts';

/** A resource indicator: an absolute URI without a fragment (RFC 8707 §2). */
export function isResourceIndicator(text: string): boolean {
  return text.length <= 1024 && !text.includes('#') && /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(text);
}

/** RFC 8707 §2: the requested resource is invalid, missing, unknown, or malformed. */
export function invalidTarget(reason: string): OAuthError {
  return new OAuthError('invalid_target', {
    description: 'The requested resource is malformed, unknown, or not for this client and scope.',
    reason,
  });
}
