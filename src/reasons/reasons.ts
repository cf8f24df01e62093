import { certificateReasons } from './certificate-reasons.ts';
import { clientReasons } from './client-reasons.ts';
import { edgeReasons } from './edge-reasons.ts';
import { grantReasons } from './grant-reasons.ts';
import { httpReasons } from './http-reasons.ts';
import { pathReasons } from './path-reasons.ts';
import { proxyReasons } from './proxy-reasons.ts';
import type { Reason, ReasonTable } from './reason.ts';
import { requestReasons } from './request-reasons.ts';
import { serverReasons } from './server-reasons.ts';
import { tokenReasons } from './token-reasons.ts';

/** The table, in the order in which a request meets its reasons. */
export const reasonAreas = {
  'Connection and HTTP': httpReasons,
  Request: requestReasons,
  'Proxy and forwarded certificate': proxyReasons,
  'Client certificate': certificateReasons,
  'Certification path': pathReasons,
  'Client authentication': clientReasons,
  'Scope and resource': grantReasons,
  'Access token': tokenReasons,
  Edge: edgeReasons,
  Server: serverReasons,
} as const satisfies Readonly<Record<string, ReasonTable>>;

/** Every reason for which a request is rejected or a token is not active, by the `code` of its audit event. */
export const reasons = {
  ...httpReasons,
  ...requestReasons,
  ...proxyReasons,
  ...certificateReasons,
  ...pathReasons,
  ...clientReasons,
  ...grantReasons,
  ...tokenReasons,
  ...edgeReasons,
  ...serverReasons,
} as const;

type Reasons = typeof reasons;

/** The `code` of an audit event. Each names one reason, and stays the same from version to version. */
export type ReasonCode = keyof Reasons;

/** The codes that lead to this OAuth error. */
export type CodeOfError<ErrorCode> = {
  [Code in ReasonCode]: Reasons[Code] extends { readonly error: ErrorCode } ? Code : never;
}[ReasonCode];

/** The codes of failed client authentication. */
export type InvalidClientCode = CodeOfError<'invalid_client'>;

/** The codes of access tokens that are not acceptable. */
export type TokenReasonCode = keyof typeof tokenReasons;

/** The codes of what never becomes a request. */
export type HttpReasonCode = keyof typeof httpReasons;

export function reasonOf(code: ReasonCode): Reason {
  return reasons[code];
}
