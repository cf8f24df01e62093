import { describeOwnCertificate } from '../client-key-pair.ts';
import type { Coverage } from '../probe-report.ts';
import { isObserved, type TrialResult } from '../trial.ts';
import { isUntrusted } from './explain-chain.ts';
import type { ProbeEvidence } from './finding.ts';

/** Lists what the requests of a run covered. */
export function coverageOf({ baseline, clientKeyPair, handshakes }: ProbeEvidence): Coverage {
  const aspects = [
    ...handshakes.map(({ url }): Aspect => ({ title: url, missing: undefined })),
    aspect('HTTP/2', 'the proxy does not offer it', baseline.filter(isHttp2)),
    aspect(describeOwnCertificate(clientKeyPair), 'it did not arrive', baseline.filter(isOwn).filter(isObserved)),
    aspect(
      'a self-signed certificate',
      'none was presented',
      baseline.filter((result) => isUntrusted(result, clientKeyPair)),
    ),
    aspect('other paths and their spellings', 'none', baseline.filter(isOtherPath)),
    aspect('host names that the proxy does not serve', 'none', baseline.filter(isUnknownName)),
    resumedAspect(baseline.filter(({ route }) => route.transport === 'tls_resumed')),
    plainAspect(baseline.filter(({ route }) => route.transport === 'plain')),
    ...neverCovered,
  ];
  return {
    covered: aspects.filter(({ missing }) => missing === undefined).map(({ title }) => title),
    not_covered: aspects.flatMap(({ title, missing }) => (missing === undefined ? [] : [`${title}${missing}`])),
  };
}

interface Aspect {
  readonly title: string;
  /** Why it is not covered, in brackets or empty; undefined when it is covered. */
  readonly missing: string | undefined;
}

const neverCovered: readonly Aspect[] = ['HTTP/3', 'request smuggling', 'other host names that the proxy serves'].map(
  (title) => ({ title, missing: '' }),
);

function aspect(title: string, whyMissing: string, results: readonly TrialResult[]): Aspect {
  return { title, missing: results.length > 0 ? undefined : ` (${whyMissing})` };
}

const isHttp2 = ({ protocol }: TrialResult) => protocol === 'h2';
const isOwn = ({ presented }: TrialResult) => presented === 'own';
const isOtherPath = ({ route }: TrialResult) => route.name === 'other_path' || route.name === 'unnormalized_path';
const isUnknownName = ({ route }: TrialResult) => route.name === 'unknown_host' || route.name === 'unknown_server_name';

function resumedAspect(results: readonly TrialResult[]): Aspect {
  return aspect('a resumed TLS session', 'the proxy does not resume TLS 1.2 sessions', results.filter(isAnswered));
}

function plainAspect(results: readonly TrialResult[]): Aspect {
  const [first] = results;
  const at = first ? ` at ${first.route.address.host} port ${first.route.address.port}` : '';
  return aspect(`plain HTTP${at}`, 'no server responds there; set --http-port', results.filter(isAnswered));
}

function isAnswered({ response }: TrialResult): boolean {
  return response.kind === 'answered';
}
