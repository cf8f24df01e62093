/** The grant types that a client may register and request (RFC 6749 §4). `grants/grants.ts` has one entry for each. */
export const grantTypes = ['client_credentials'] as const;

export type GrantType = (typeof grantTypes)[number];

/**
 * Whether `text` is a `client-id` (RFC 6749 appendix A.1: `*VSCHAR`) of 1 to 255 characters. Only such text becomes part
 * of a Redis key or an audit event.
 */
export function isClientId(text: string): boolean {
  return /^[\x20-\x7e]{1,255}$/.test(text);
}

/** What {@link isClientId} accepts, for messages. */
export const CLIENT_ID_GRAMMAR = '1 to 255 printable ASCII characters';

/** Our own limit, since audit events contain the scope of a request: RFC 6749 sets none. */
export const MAX_SCOPE_TOKEN_LENGTH = 256;

/** Whether `text` is a `scope-token` (RFC 6749 §3.3). */
export function isScopeToken(text: string): boolean {
  return text.length <= MAX_SCOPE_TOKEN_LENGTH && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text);
}

/** Our own limit, since audit events contain the resource of a request: RFC 8707 sets none. */
export const MAX_RESOURCE_LENGTH = 1024;

/** Whether `text` is a resource indicator: an absolute URI without a fragment (RFC 8707 §2). */
export function isResourceIndicator(text: string): boolean {
  return (
    text.length <= MAX_RESOURCE_LENGTH && !text.includes('#') && /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(text)
  );
}
