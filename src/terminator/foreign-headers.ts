import { certificateHeaders } from './formats.ts';
import type { ForwardedRequest } from './forwarded-certificate.ts';
import type { RawHeaders } from './raw-headers.ts';
import { forwardedHeaders, type Terminator } from './terminator.ts';
import { untrustedReason } from './trusted-proxy.ts';

const lengths: ReadonlySet<number> = new Set([...certificateHeaders].map(({ length }) => length));

const REPORT_EVERY_MS = 60_000;

/**
 * Watches for fields in which terminators of other kinds forward a certificate. They are never read. But where the
 * trusted proxy lets one through, clients can send it, or the server is configured for another format than the proxy.
 *
 * @param report told the name of such a field, at most once a minute for each
 * @param now milliseconds since the epoch
 */
export function detectForeignHeaders(
  terminator: Terminator,
  report: (header: string) => void,
  now: () => number,
): (request: ForwardedRequest) => void {
  const own = forwardedHeaders(terminator);
  const reported = new Map<string, number>();
  return ({ headers, peer }) => {
    const found = findForeignHeaders(headers).filter((name) => !own.includes(name));
    if (found.length === 0 || untrustedReason(peer, headers, terminator.proxyTrust) !== undefined) return;
    for (const name of found) {
      if (now() - (reported.get(name) ?? Number.NEGATIVE_INFINITY) < REPORT_EVERY_MS) continue;
      reported.set(name, now());
      report(name);
    }
  };
}

function findForeignHeaders(headers: RawHeaders): string[] {
  const found: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i];
    // Most names are dismissed by their length, without a copy in lower case.
    if (name === undefined || !lengths.has(name.length) || headers[i + 1] === '') continue;
    const lower = name.toLowerCase();
    if (certificateHeaders.has(lower)) found.push(lower);
  }
  return found;
}
