import type { PresentedCertificate } from '../clients/methods/method.ts';
import type { HeaderFields } from '../http/header-fields.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import type { Resource } from '../resources/resource.ts';
import type { Peer } from '../terminator/trusted-proxy.ts';
import type { Approval } from './approval.ts';

/** A check: what a trusted proxy asks about one request of a client. */
export interface Check {
  /** The resource that the route names. */
  readonly resource: Resource;
  readonly headers: HeaderFields;
  /** The client certificate of the connection on which the proxy received the request. */
  readonly presented: PresentedCertificate;
  /** The proxy. */
  readonly peer: Peer;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Decides a check.
 *
 * @param entry the audit entry of the check; each step adds what it learned
 * @throws {Denial}, {OAuthError} or {AccessTokenError}
 */
export type DecideCheck = (check: Check, entry: AuditEntry) => Promise<Approval>;
