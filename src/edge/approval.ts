import type { Written } from '../observability/audit.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import { NO_BODY } from './respond.ts';

/** An approved check: status 200. At least one token is the reason. */
export interface Approval {
  /** What the upstream receives; from {@link approvalHeaders}. */
  readonly headers: readonly string[];
  /** The token that the client presented. */
  readonly verified?: ApprovedToken;
  /** The token that the upstream receives in its place, or because there is none. */
  readonly minted?: ApprovedToken;
}

/** A token, as long as it is cached. All checks that it answers share it: only its first use is an audit event. */
export interface ApprovedToken {
  /** What the event states of the token. */
  readonly claims: Pick<AuditEntry, 'sub' | 'scope' | 'audience' | 'jti' | 'kid' | 'expires_at'>;
  /** Whether the event has been written. Undefined before the first use, and after the event could not be written. */
  written: Written | undefined;
}

/** What the upstream learns of the client. */
export interface Identity {
  readonly clientId: string;
  readonly subject: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** The access token that the proxy forwards; undefined if the upstream receives none. */
  readonly token: string | undefined;
}

/** The headers of an approval that the proxy passes to the upstream, and the value of each; empty if it has none. */
export const identityHeaders: Readonly<Record<string, (identity: Identity) => string>> = {
  Authorization: ({ token }) => (token === undefined ? '' : `Bearer ${token}`),
  'X-Countersign-Client-Id': ({ clientId }) => fieldValue(clientId),
  'X-Countersign-Subject': ({ subject }) => fieldValue(subject),
  'X-Countersign-Scope': ({ scope }) => scope.join(' '),
  'X-Countersign-Audience': ({ audience }) => audience.map(listItem).join(' '),
  'X-Countersign-Expires': ({ expiresAt }) => String(expiresAt),
};

/** Lists the identity headers that an approval lacks, for Envoy. */
export const REMOVAL_HEADER = 'X-Envoy-Auth-Headers-To-Remove';

/**
 * The header of an approval, as Node's flat list of names and values. The same object can be used for many responses.
 *
 * No value is empty, since proxies disagree about what that means. What has no value is listed for Envoy to remove from
 * the request; other proxies remove every one of these headers first.
 */
export function approvalHeaders(identity: Identity): readonly string[] {
  const fields = Object.entries(identityHeaders).map(([name, valueFor]) => [name, valueFor(identity)] as const);
  const present = fields.filter(([, value]) => value !== '');
  const absent = fields.filter(([, value]) => value === '').map(([name]) => name.toLowerCase());
  const removal = absent.length === 0 ? [] : [REMOVAL_HEADER, absent.join(',')];
  return [...present.flat(), ...removal, ...NO_BODY];
}

/** Characters that a field value cannot hold, or that a recipient may trim; and the one that encodes them. */
const ENCODED = /[^\x20-\x7e]|%|^ | $/gu;

/**
 * A text as a field value: printable ASCII as it is, anything else percent-encoded (RFC 3986 §2.1), and so is `%`
 * itself. Two texts never have the same value.
 */
function fieldValue(text: string): string {
  return text.replace(ENCODED, percentEncode);
}

/** An item of a list that is separated by spaces. A URI has no character that needs encoding; `%` stays as it is. */
function listItem(text: string): string {
  return text.replace(/[^\x21-\x7e]/gu, percentEncode);
}

function percentEncode(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
