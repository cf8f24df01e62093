import { printable } from '../../text.ts';
import { styled, table } from '../output/text.ts';
import { jsonObjectIn } from './explain-response.ts';

/** A JSON object of a token. */
type Part = Readonly<Record<string, unknown>>;

/** A token response (RFC 6749 §5.1), with its JWT decoded. The signature is not verified. */
export interface TokenReport {
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly client_id: string;
  readonly access_token: string;
  readonly token_type: unknown;
  readonly expires_in: unknown;
  readonly scope: unknown;
  /** Null if the token is not a JWT. */
  readonly header: Part | null;
  readonly claims: Part | null;
  /** Whether the token is bound to the certificate that this command presented (RFC 8705 §3). */
  readonly bound_to_certificate: boolean;
  readonly notes: readonly string[];
}

/** The header and the claims of a JWT; undefined for any other text. */
export function decodeJwt(token: string): { readonly header: Part; readonly claims: Part } | undefined {
  const [header, claims] = token.split('.').map((part) => jsonObjectIn(Buffer.from(part, 'base64url').toString()));
  return header && claims ? { header, claims } : undefined;
}

/** The thumbprint of the certificate that a token is bound to; undefined if it is bound to none. */
export function boundThumbprint({ cnf }: Part): unknown {
  return typeof cnf === 'object' && cnf !== null && 'x5t#S256' in cnf ? cnf['x5t#S256'] : undefined;
}

/** @param now milliseconds since the epoch */
export async function printToken(report: TokenReport, now: number): Promise<void> {
  const { issuer, client_id: clientId, header, claims, bound_to_certificate: isBound, notes } = report;
  console.log(`${styled('bold', 'Token')} of ${printable(issuer)} for client ${printable(clientId)}`);
  if (header && claims) {
    console.log(`\n${styled('bold', 'Header')}\n${await indented(header, now)}`);
    console.log(`\n${styled('bold', 'Claims')}\n${await indented(claims, now)}`);
  } else console.log('\nThe token is not a JWT, so only the server can read it.');
  console.log('');
  if (isBound) console.log(`${styled('green', 'Bound')} to your certificate: useless without its private key`);
  for (const note of notes) console.log(`${styled('yellow', 'Note:')} ${printable(note)}`);
  console.log(styled('dim', 'The signature is not verified here. Add --raw to print only the token.'));
}

async function indented(part: Part, now: number): Promise<string> {
  const rows = Object.entries(part).map(([name, value]) => ['', printable(name), describeMember(name, value, now)]);
  return (await table(rows)).join('\n');
}

/** The claims of RFC 7519 §4.1 that are instants, in seconds. */
const instants: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat']);

function describeMember(name: string, value: unknown, now: number): string {
  if (typeof value === 'string') return printable(value);
  if (typeof value !== 'number' || !instants.has(name) || !Number.isSafeInteger(value * 1000))
    return printable(JSON.stringify(value));
  const date = new Date(value * 1000);
  if (Number.isNaN(date.getTime())) return String(value);
  const seconds = Math.round(value - now / 1000);
  const distance = name !== 'exp' ? '' : seconds < 0 ? `, ${-seconds} s ago` : `, in ${seconds} s`;
  return `${value} (${date.toISOString().replace('.000Z', 'Z')}${distance})`;
}
