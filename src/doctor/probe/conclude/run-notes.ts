import { withoutTrailingSlash } from '../../../oauth/issuer.ts';
import type { EffectiveConfig } from '../../observer/effective-config.ts';
import type { ForgeryReport } from '../probe-report.ts';
import type { ProbeEvidence } from './finding.ts';

/** Notes about the run as a whole: none of them is a problem. */
export function runNotes(evidence: ProbeEvidence, forgeries: readonly ForgeryReport[]): string[] {
  const { url, effectiveConfigs, handshakes, baseline } = evidence;
  if (baseline.length === 0) return [];
  const notes = [
    noteUnknownUrl(url, effectiveConfigs[0]),
    noteWithoutHttp2(handshakes),
    noteWithoutOwn(evidence),
    noteForwardedFields(forgeries),
  ];
  return notes.filter((note) => note !== undefined);
}

function noteUnknownUrl(url: string, { issuer, mtls_url }: EffectiveConfig): string | undefined {
  if ([issuer, mtls_url].map(withoutTrailingSlash).includes(withoutTrailingSlash(url))) return undefined;
  return `the server's configured URL is ${issuer} (mutual TLS: ${mtls_url}); only ${url} was probed`;
}

function noteWithoutHttp2(handshakes: ProbeEvidence['handshakes']): string | undefined {
  if (handshakes.some(({ http2 }) => http2)) return undefined;
  return 'the proxy does not offer HTTP/2: nothing was sent over it';
}

function noteWithoutOwn({ forged, clientKeyPair }: ProbeEvidence): string | undefined {
  if (forged.some(({ presented }) => presented === 'own')) return undefined;
  const fix = clientKeyPair.generated ? '; pass one that the proxy accepts with --cert and --key' : '';
  return `no forgery was combined with a presented certificate, because none arrived${fix}`;
}

function noteForwardedFields(forgeries: readonly ForgeryReport[]): string | undefined {
  const ignored = forgeries.filter(({ family, outcome }) => family === 'other_format' && outcome === 'ignored');
  if (ignored.length === 0) return undefined;
  const formats = new Set(ignored.map(({ forgery }) => forgery.replace(/^as_/, '').replaceAll('_', '-')));
  return (
    `the proxy forwards the fields of ${[...formats].join(', ')} that clients send; ` +
    'the server never reads them, but it is safer to remove them'
  );
}
