import { withoutTrailingSlash } from '../../../oauth/issuer.ts';
import type { EffectiveConfig } from '../../observer/endpoint.ts';
import type { Coverage, ForgeryReport } from '../examination.ts';
import { nameOwn } from '../identity.ts';
import { isSeen, type TrialResult } from '../trial.ts';
import { isUntrusted } from './explain-chain.ts';
import type { ProbeEvidence } from './finding.ts';

/** Says what the requests of a run covered. */
export function coverageOf({ baseline, identity, handshakes }: ProbeEvidence): Coverage {
  const aspects = [
    ...handshakes.map(({ url }): Aspect => ({ title: url, missing: undefined })),
    aspect('HTTP/2', 'the proxy does not offer it', baseline.filter(isHttp2)),
    aspect(nameOwn(identity), 'it did not arrive', baseline.filter(isOwn).filter(isSeen)),
    aspect(
      'a self-signed certificate',
      'none was shown',
      baseline.filter((tried) => isUntrusted(tried, identity)),
    ),
    aspect('other paths and their spellings', 'none', baseline.filter(isOtherPath)),
    aspect('unknown names', 'none', baseline.filter(isUnknownName)),
    resumedAspect(baseline.filter(({ route }) => route.transport === 'resumed_tls')),
    plainAspect(baseline.filter(({ route }) => route.transport === 'plain')),
    ...never,
  ];
  return {
    covered: aspects.filter(({ missing }) => missing === undefined).map(({ title }) => title),
    not_covered: aspects.flatMap(({ title, missing }) => (missing === undefined ? [] : [`${title}${missing}`])),
  };
}

interface Aspect {
  readonly title: string;
  /** Why it was not covered, in brackets or not at all. */
  readonly missing: string | undefined;
}

const never: readonly Aspect[] = ['HTTP/3', 'request smuggling', 'names that the server does not know'].map(
  (title) => ({ title, missing: '' }),
);

const isHttp2 = ({ protocol }: TrialResult) => protocol === 'h2';
const isOwn = ({ presented }: TrialResult) => presented === 'own';
const isOtherPath = ({ route }: TrialResult) => route.name === 'other_path' || route.name === 'path_spelling';
const isUnknownName = ({ route }: TrialResult) => route.name === 'unknown_host' || route.name === 'unknown_server_name';

function aspect(title: string, why: string, tried: readonly TrialResult[]): Aspect {
  return { title, missing: tried.length > 0 ? undefined : ` (${why})` };
}

function resumedAspect(tried: readonly TrialResult[]): Aspect {
  return aspect('a resumed TLS session', 'the proxy resumes none of TLS 1.2', tried.filter(isAnswered));
}

function plainAspect(tried: readonly TrialResult[]): Aspect {
  const [first] = tried;
  const at = first ? ` at ${first.route.address.host} port ${first.route.address.port}` : '';
  return aspect(`plain HTTP${at}`, 'nothing answers there; --http-port names another', tried.filter(isAnswered));
}

function isAnswered({ response }: TrialResult): boolean {
  return response.kind === 'answered';
}

/** What is no fault, and worth knowing about the run as a whole. */
export function notesOn(findings: ProbeEvidence, forgeries: readonly ForgeryReport[]): string[] {
  const { url, configs, handshakes, baseline } = findings;
  if (baseline.length === 0) return [];
  const notes = [unknownUrl(url, configs[0]), withoutHttp2(handshakes), nothingBeside(findings), passedOn(forgeries)];
  return notes.filter((note) => note !== undefined);
}

function unknownUrl(url: string, { issuer, mtls_url }: EffectiveConfig): string | undefined {
  if ([issuer, mtls_url].map(withoutTrailingSlash).includes(withoutTrailingSlash(url))) return undefined;
  return `the server calls itself ${issuer} (mutual TLS: ${mtls_url}); only ${url} was examined`;
}

function withoutHttp2(handshakes: ProbeEvidence['handshakes']): string | undefined {
  return handshakes.some(({ http2 }) => http2)
    ? undefined
    : 'the proxy does not offer HTTP/2: nothing was sent over it';
}

function nothingBeside({ forged, identity }: ProbeEvidence): string | undefined {
  if (forged.some(({ presented }) => presented === 'own')) return undefined;
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
