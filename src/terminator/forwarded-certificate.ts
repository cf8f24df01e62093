import type { HeaderFields } from '../http/header-fields.ts';
import { type ForwardedVerification, readVerification } from './chain-verification.ts';
import { absentValues, headerFormats } from './formats.ts';
import { ForwardingError } from './forwarding-error.ts';
import type { Untrusted } from './proxy-certificate.ts';
import { singleValue } from './single-value.ts';
import { forwardedHeaders, type Terminator } from './terminator.ts';
import { type Peer, PROXY_SECRET_HEADER, untrustedReason } from './trusted-proxy.ts';

export interface ForwardedRequest {
  readonly headers: HeaderFields;
  readonly peer: Peer;
}

/** The certificate that the terminator forwarded, still encoded, or the reason why the request has none. */
export type ForwardedCertificate =
  | ({ readonly kind: 'certificate'; readonly verification: ForwardedVerification } & EncodedCertificates)
  | ({ readonly kind: 'none' } & Untrusted);

/** The values of the certificate header and of the chain header. */
export interface EncodedCertificates {
  readonly encoded: string;
  readonly encodedChain: string | undefined;
}

/**
 * Reads what the terminator forwarded. The headers of other formats are never read.
 *
 * @throws {ForwardingError} when the request is ambiguous, or not what a terminator of this kind sends
 */
export function readForwardedCertificate(request: ForwardedRequest, terminator: Terminator): ForwardedCertificate {
  const { headers, peer } = request;
  rejectEarlyData(headers);
  rejectStrippedFields(headers, terminator);
  const encoded = singleValue(headers, terminator.certificateHeader);
  const untrusted = untrustedReason(peer, headers, terminator.proxyTrust);
  if (untrusted !== undefined) return { kind: 'none', ...untrusted };
  const verification = readVerification(headers, terminator.verification);
  if (encoded !== undefined && !isAbsent(encoded)) {
    return { kind: 'certificate', encoded, encodedChain: readChain(headers, terminator), verification };
  }
  if (verification.result === 'verified') throw lostCertificate(terminator, verification);
  return {
    kind: 'none',
    code: 'certificate_missing',
    reason: `the terminator forwarded no certificate in ${terminator.certificateHeader}`,
  };
}

function rejectEarlyData(headers: HeaderFields): void {
  if (headers.all('early-data').some((value) => value !== '')) {
    throw new ForwardingError('early_data', 'Early-Data is set: the request may be a replay');
  }
}

/** A client that names the proxy's headers in `Connection` causes some proxies to delete them (RFC 9110 §7.6.1). */
function rejectStrippedFields(headers: HeaderFields, terminator: Terminator): void {
  const connection = headers.combined('connection');
  if (connection === undefined) return;
  const tokens = connection.toLowerCase().split(',');
  const ours = [...forwardedHeaders(terminator), PROXY_SECRET_HEADER];
  const named = tokens.map((token) => token.trim()).find((token) => ours.includes(token));
  if (named !== undefined) throw new ForwardingError('header_stripped', `Connection names ${named}`);
}

/** Whether a value means "no certificate", or is a variable that was never expanded: `$x`, `%[x]`, `%{X}s`, `{x.y}`. */
function isAbsent(value: string): boolean {
  return value === '' || absentValues.has(value) || /^:?(?:[$]|%[{[]|[{][a-z])/.test(value);
}

function readChain(headers: HeaderFields, { name, chainHeader }: Terminator): string | undefined {
  if (chainHeader === undefined) return undefined;
  const maySpanLines = headerFormats[name].chain?.maySpanLines === true;
  // RFC 9110 §5.3: the lines of a list-based field combine in order.
  const value = maySpanLines ? headers.combined(chainHeader) : singleValue(headers, chainHeader);
  return value === undefined || isAbsent(value) ? undefined : value;
}

function lostCertificate({ certificateHeader }: Terminator, { reason }: ForwardedVerification): ForwardingError {
  return new ForwardingError(
    'certificate_lost',
    `${reason}, but ${certificateHeader} contains no certificate: a proxy buffer may be too small for it, ` +
      'or the verification header is set without a certificate (HAProxy: send ssl_c_verify only if ssl_c_used)',
  );
}
