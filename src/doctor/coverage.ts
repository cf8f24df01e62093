import type { Coverage } from './examination.ts';
import { isStranger } from './explain-chain.ts';
import type { Findings } from './finding.ts';
import { nameOwn } from './identity.ts';
import { isSeen, type Tried } from './trial.ts';

/** Says what the requests of a run covered. */
export function coverageOf({ usual, identity, handshakes }: Findings): Coverage {
  const aspects = [
    ...handshakes.map(({ url }): Aspect => ({ title: url, missing: undefined })),
    aspect('HTTP/2', 'the proxy does not offer it', usual.filter(isHttp2)),
    aspect(nameOwn(identity), 'it did not arrive', usual.filter(isOwn).filter(isSeen)),
    aspect(
      'a self-signed certificate',
      'none was shown',
      usual.filter((tried) => isStranger(tried, identity)),
    ),
    aspect('other paths and their spellings', 'none', usual.filter(isOtherPath)),
    aspect('unknown names', 'none', usual.filter(isUnknownName)),
    resumedAspect(usual.filter(({ route }) => route.transport === 'resumed_tls')),
    plainAspect(usual.filter(({ route }) => route.transport === 'plain')),
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

const isHttp2 = ({ protocol }: Tried) => protocol === 'h2';
const isOwn = ({ shown }: Tried) => shown === 'own';
const isOtherPath = ({ route }: Tried) => route.name === 'other_path' || route.name === 'path_spelling';
const isUnknownName = ({ route }: Tried) => route.name === 'unknown_host' || route.name === 'unknown_server_name';

function aspect(title: string, why: string, tried: readonly Tried[]): Aspect {
  return { title, missing: tried.length > 0 ? undefined : ` (${why})` };
}

function resumedAspect(tried: readonly Tried[]): Aspect {
  return aspect('a resumed TLS session', 'the proxy resumes none of TLS 1.2', tried.filter(isAnswered));
}

function plainAspect(tried: readonly Tried[]): Aspect {
  const [first] = tried;
  const at = first ? ` at ${first.route.address.host} port ${first.route.address.port}` : '';
  return aspect(`plain HTTP${at}`, 'nothing answers there; --http-port names another', tried.filter(isAnswered));
}

function isAnswered({ answer }: Tried): boolean {
  return answer.kind === 'answered';
}
