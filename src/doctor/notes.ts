import { withoutTrailingSlash } from '../oauth/issuer.ts';
import type { ForgeryReport } from './examination.ts';
import type { Findings } from './finding.ts';
import type { Belief } from './observer/endpoint.ts';

/** What is no fault, and worth knowing about the run as a whole. */
export function notesOn(findings: Findings, forgeries: readonly ForgeryReport[]): string[] {
  const { url, beliefs, handshakes, usual } = findings;
  if (usual.length === 0) return [];
  const notes = [unknownUrl(url, beliefs[0]), withoutHttp2(handshakes), nothingBeside(findings), passedOn(forgeries)];
  return notes.filter((note) => note !== undefined);
}

function unknownUrl(url: string, { issuer, mtls_url }: Belief): string | undefined {
  if ([issuer, mtls_url].map(withoutTrailingSlash).includes(withoutTrailingSlash(url))) return undefined;
  return `the server calls itself ${issuer} (mutual TLS: ${mtls_url}); only ${url} was examined`;
}

function withoutHttp2(handshakes: Findings['handshakes']): string | undefined {
  return handshakes.some(({ http2 }) => http2)
    ? undefined
    : 'the proxy does not offer HTTP/2: nothing was sent over it';
}

function nothingBeside({ forged, identity }: Findings): string | undefined {
  if (forged.some(({ shown }) => shown === 'own')) return undefined;
  const mend = identity.made ? '; give one that the proxy accepts with --cert and --key' : '';
  return `no forgery was tried beside a certificate in the handshake, because none arrived${mend}`;
}

function passedOn(forgeries: readonly ForgeryReport[]): string | undefined {
  const ignored = forgeries.filter(({ family, outcome }) => family === 'other_format' && outcome === 'ignored');
  if (ignored.length === 0) return undefined;
  const formats = new Set(ignored.map(({ forgery }) => forgery.replace(/^as_/, '').replaceAll('_', '-')));
  return (
    `the proxy passes on what clients send in the fields of ${[...formats].join(', ')}; ` +
    'they are never read, and it may as well remove them'
  );
}
