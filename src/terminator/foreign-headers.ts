import type { HeaderFields } from '../http/header-fields.ts';
import { certificateHeaders } from './formats.ts';
import type { ForwardedRequest } from './forwarded-certificate.ts';
import { forwardedHeaders, type Terminator } from './terminator.ts';
import { untrustedReason } from './trusted-proxy.ts';

const REPORT_INTERVAL_MS = 60_000;

/**
 * Detects certificate headers of other formats in requests from the trusted proxy. They are never read, but their
 * presence means that clients can set them, or that server and proxy are configured for different formats.
 *
 * @param report called with the name of the header (lower case), at most once a minute for each name
 * @param now milliseconds since the epoch
 */
export function detectForeignHeaders(
  terminator: Terminator,
  report: (header: string) => void,
  now: () => number,
): (request: ForwardedRequest) => void {
  const own = forwardedHeaders(terminator);
  const others = [...certificateHeaders].filter((name) => !own.includes(name));
  const reportedAt = new Map<string, number>();
  return ({ headers, peer }) => {
    const foreign = others.filter((name) => isPresent(headers, name));
    if (foreign.length === 0 || untrustedReason(peer, headers, terminator.proxyTrust) !== undefined) return;
    for (const name of foreign) {
      if (now() - (reportedAt.get(name) ?? Number.NEGATIVE_INFINITY) < REPORT_INTERVAL_MS) continue;
      reportedAt.set(name, now());
      report(name);
    }
  };
}

/** Whether any line of a field has a value. */
function isPresent(headers: HeaderFields, name: string): boolean {
  const values = headers.all(name);
  return values.length > 0 && values.some((value) => value !== '');
}
