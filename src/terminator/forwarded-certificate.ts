import { absentValues, headerFormats } from './formats.ts';
import { ForwardingError, type RawHeaders, singleValue, valuesOf } from './raw-headers.ts';
import { type ForwardedVerification, forwardedHeaders, readVerification, type Terminator } from './terminator.ts';
import { type Peer, PROXY_SECRET_HEADER, untrustedReason } from './trusted-proxy.ts';

/** What a request brought: a certificate that the terminator forwarded (still encoded), or none and why. */
export type ForwardedCertificate =
  | ({ readonly kind: 'certificate'; readonly verification: ForwardedVerification } & EncodedCertificates)
  | { readonly kind: 'none'; readonly reason: string };

/** The text of the fields. */
export interface EncodedCertificates {
  readonly encoded: string;
  readonly encodedChain: string | undefined;
}

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
  const { headers, peer } = request;
  rejectEarlyData(headers);
  rejectStrippedFields(headers, terminator);
  const encoded = singleValue(headers, terminator.certificateHeader);
  const distrust = untrustedReason(peer, headers, terminator.proxyTrust);
  if (distrust !== undefined) return { kind: 'none', reason: distrust };
  const verdict = readVerification(headers, terminator.verification);
  if (encoded !== undefined && !isAbsent(encoded)) {
    return { kind: 'certificate', encoded, encodedChain: readChain(headers, terminator), verification: verdict };
  }
  if (verdict.result === 'verified') throw lostCertificate(terminator, verdict);
  return { kind: 'none', reason: `the terminator forwarded no certificate in ${terminator.certificateHeader}` };
}

function readChain(headers: RawHeaders, { name, chainHeader }: Terminator): string | undefined {
  if (chainHeader === undefined) return undefined;
  const maySpanLines = headerFormats[name].chain?.maySpanLines === true;
  // RFC 9110 §5.3: the lines of a list make one, in their order.
  const value = maySpanLines ? valuesOf(headers, chainHeader).join(', ') : singleValue(headers, chainHeader);
  return value === undefined || isAbsent(value) ? undefined : value;
}

/** How terminators spell "none", or a variable of theirs that was never expanded: `$x`, `%[x]`, `%{X}s`, `{x.y}`. */
function isAbsent(value: string): boolean {
  return value === '' || absentValues.has(value) || /^:?(?:[$]|%[{[]|[{][a-z])/.test(value);
}

function lostCertificate({ certificateHeader }: Terminator, { reason }: ForwardedVerification): ForwardingError {
  return new ForwardingError(
    'lost',
    `${reason}, but ${certificateHeader} holds no certificate: a buffer of the proxy may be too small for it, ` +
      'or the verdict is set where the certificate is not (HAProxy: send ssl_c_verify only if ssl_c_used)',
  );
}

/** A client that names the proxy's fields in `Connection` makes some proxies delete them (RFC 9110 §7.6.1). */
function rejectStrippedFields(headers: RawHeaders, terminator: Terminator): void {
  const tokens = valuesOf(headers, 'connection').flatMap((value) => value.toLowerCase().split(','));
  if (tokens.length === 0) return;
  const ours = [...forwardedHeaders(terminator), PROXY_SECRET_HEADER];
  const named = tokens.map((token) => token.trim()).find((token) => ours.includes(token));
  if (named !== undefined) throw new ForwardingError('stripped', `Connection names ${named}`);
}

function rejectEarlyData(headers: RawHeaders): void {
  if (valuesOf(headers, 'early-data').some((value) => value !== '')) {
    throw new ForwardingError('early_data', 'Early-Data is set: the request may be a replay');
  }
}
