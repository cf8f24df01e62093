import { ForwardingError } from './forwarding-error.ts';
import type { HeaderFormat } from './header-format.ts';
import { distrustReason, type HopTrust, type Peer, PROXY_SECRET_HEADER } from './hop.ts';
import { type RawHeaders, valuesOf } from './raw-headers.ts';

/** The terminator in front, as configured: what it forwards, in which fields, and how we know that it is there. */
export interface Terminator {
  readonly format: HeaderFormat;
  /** Field names in lower case. */
  readonly certificateHeader: string;
  readonly verdictHeader: string | undefined;
  readonly hop: HopTrust;
}

/** What the terminator said about the chain, and how to say so to an operator. */
export interface Verdict {
  readonly verified: boolean;
  readonly reason: string;
}

/** What a request brought: a certificate that the terminator forwarded (still encoded), or none and why. */
export type ForwardedCertificate =
  | { readonly kind: 'certificate'; readonly encoded: string; readonly verdict: Verdict }
  | { readonly kind: 'none'; readonly reason: string };

export interface ForwardedRequest {
  readonly headers: RawHeaders;
  readonly peer: Peer;
}

/**
 * Reads what the terminator forwarded. Fields of other formats are never looked at.
 *
 * @throws {ForwardingError} when the request says two things, or something that no terminator of this kind says
 */
export function readForwardedCertificate(request: ForwardedRequest, terminator: Terminator): ForwardedCertificate {
  refuseEarlyData(request.headers);
  refuseStrippedFields(request.headers, terminator);
  const encoded = oneValue(request.headers, terminator.certificateHeader);
  const distrust = distrustReason(request.peer, request.headers, terminator.hop);
  if (distrust !== undefined) return { kind: 'none', reason: distrust };
  const verdict = readVerdict(request.headers, terminator);
  if (encoded !== undefined && !saysNoCertificate(encoded)) return { kind: 'certificate', encoded, verdict };
  if (verdict.verified) throw lostCertificate(terminator);
  return { kind: 'none', reason: `the terminator forwarded no certificate in ${terminator.certificateHeader}` };
}

/** The verdicts over a verified chain: exactly this word of nginx's, and nothing that merely looks like it. */
const VERIFIED = 'SUCCESS';

function readVerdict(headers: RawHeaders, { verdictHeader }: Terminator): Verdict {
  if (verdictHeader === undefined) {
    return { verified: false, reason: 'the format carries no verdict, and COUNTERSIGN_VERDICT_HEADER names none' };
  }
  const value = oneValue(headers, verdictHeader);
  if (value === undefined) return { verified: false, reason: `${verdictHeader} is absent` };
  return { verified: value === VERIFIED, reason: `${verdictHeader} is "${value.slice(0, 120)}"` };
}

function oneValue(headers: RawHeaders, name: string): string | undefined {
  const [value, ...repeated] = valuesOf(headers, name);
  if (repeated.length > 0) throw new ForwardingError('malformed', `${name} came ${repeated.length + 1} times`);
  return value;
}

/**
 * How terminators spell "no certificate": an empty field, Apache's `(null)`, an empty RFC 9440 Byte Sequence, and
 * the variable itself where it was never expanded.
 */
function saysNoCertificate(encoded: string): boolean {
  return encoded === '' || encoded === '(null)' || encoded === '::' || /^:?(?:[$]|%?[{[])/.test(encoded);
}

function lostCertificate({ certificateHeader }: Terminator): ForwardingError {
  return new ForwardingError(
    'lost',
    `the terminator says ${VERIFIED} but ${certificateHeader} holds no certificate: ` +
      'a buffer of the proxy may be too small for it, or the header is set on another location than the verdict',
  );
}

/** A client that names the proxy's fields in `Connection` makes some proxies delete them (RFC 9110 §7.6.1). */
function refuseStrippedFields(headers: RawHeaders, { certificateHeader, verdictHeader }: Terminator): void {
  const named = valuesOf(headers, 'connection').flatMap((value) => value.toLowerCase().split(','));
  for (const token of named) {
    const name = token.trim();
    if (name === certificateHeader || name === verdictHeader || name === PROXY_SECRET_HEADER) {
      throw new ForwardingError('stripped', `Connection names ${name}`);
    }
  }
}

function refuseEarlyData(headers: RawHeaders): void {
  if (valuesOf(headers, 'early-data').some((value) => value !== '')) {
    throw new ForwardingError('early_data', 'Early-Data is set: the request may be a replay');
  }
}
