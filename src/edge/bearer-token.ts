import type { HeaderFields } from '../http/header-fields.ts';

/** The access token of a request, or why there is none. */
export type BearerToken =
  | { readonly kind: 'token'; readonly token: string }
  /** There is no `Authorization` field. */
  | { readonly kind: 'absent' }
  /** `isToken`: it may be meant as a token, so that the challenge reports an invalid one (RFC 6750 §3.1). */
  | { readonly kind: 'rejected'; readonly reason: string; readonly isToken: boolean };

/** RFC 6750 §2.1: `b64token`, after a scheme in any case and at least one space (RFC 9110 §11.4). */
const CREDENTIALS = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Reads the access token of a request: from the `Authorization` field, which has to be there exactly once, and from
 * nowhere else (RFC 6750 §2.1).
 */
export function readBearerToken(headers: HeaderFields): BearerToken {
  const lines = headers.all('authorization');
  const [value] = lines;
  if (value === undefined) return { kind: 'absent' };
  const [, token] = (lines.length === 1 && CREDENTIALS.exec(value)) || [];
  return token === undefined ? rejectedLines(lines) : { kind: 'token', token };
}

function rejectedLines(lines: readonly string[]): BearerToken {
  const isToken = lines.some((line) => /^bearer +[^ ]/i.test(line));
  const rejected = (reason: string) => ({ kind: 'rejected', reason, isToken }) as const;
  const [value = '', ...repeated] = lines;
  if (repeated.length > 0) return rejected(`Authorization appears ${lines.length} times`);
  // No token contains a comma: a proxy may have joined two fields.
  if (isToken && value.includes(',')) return rejected('Authorization contains a comma');
  if (isToken) return rejected('Authorization contains a character that no token does');
  if (/^bearer *$/i.test(value)) return rejected('Authorization contains no token');
  return rejected('Authorization does not use the scheme Bearer');
}
