import type { HeaderFields } from '../http/header-fields.ts';

/** The access token of a request, or why there is none. */
export type BearerToken =
  | { readonly kind: 'token'; readonly token: string }
  /** There is no `Authorization` field. */
  | { readonly kind: 'absent' }
  /** `isToken`: it may be meant as a token, so that the challenge reports an invalid one (RFC 6750 §3.1). */
  | { readonly kind: 'rejected'; readonly reason: string; readonly isToken: boolean };

/** In any case, and followed by at least one space (RFC 6750 §2.1, RFC 9110 §11.4). */
const SCHEME = /^bearer +/i;

/**
 * Reads the access token of a request: from the `Authorization` field, which has to be there exactly once, and from
 * nowhere else (RFC 6750 §2.1). Its characters are left to the verification of the token, which accepts fewer.
 */
export function readBearerToken(headers: HeaderFields): BearerToken {
  const lines = headers.all('authorization');
  const [value] = lines;
  if (value === undefined) return { kind: 'absent' };
  const [scheme] = SCHEME.exec(value) ?? [];
  const token = scheme === undefined ? '' : value.slice(scheme.length);
  if (lines.length > 1 || token === '' || token.includes(',') || token.includes(' ')) return rejectedLines(lines);
  return { kind: 'token', token };
}

function rejectedLines(lines: readonly string[]): BearerToken {
  const isToken = lines.some((line) => /^bearer +[^ ]/i.test(line));
  const rejected = (reason: string) => ({ kind: 'rejected', reason, isToken }) as const;
  const [value = ''] = lines;
  if (lines.length > 1) return rejected(`Authorization appears ${lines.length} times`);
  // A proxy may have joined two fields.
  if (isToken && value.includes(',')) return rejected('Authorization contains a comma');
  if (isToken) return rejected('Authorization contains a space after the token');
  if (/^bearer *$/i.test(value)) return rejected('Authorization contains no token');
  return rejected('Authorization does not use the scheme Bearer');
}
