import { Redis } from 'ioredis';
import { connectionOptions, type RedisAccess } from './connect.ts';
import { explainEnd, explainFor, isUnreachable } from './explain.ts';
import { type Credentials, type Endpoint, endpointText } from './url.ts';

/** How long a node may take to answer, in milliseconds. */
const ANSWER_MILLISECONDS = 1_000;

/**
 * Says what {@link explainProblem} says; and where no sentinel, or no node of a cluster, can be reached, why each of
 * those that are configured cannot: of that ioredis is silent, so it is tried once more.
 */
export async function explainWithNodes(error: Error, access: RedisAccess): Promise<string> {
  const { address } = access;
  const explanation = explainFor(access)(error);
  if (!isUnreachable(error) || (address.kind !== 'sentinel' && address.kind !== 'cluster')) return explanation;
  const [nodes, credentials] =
    address.kind === 'sentinel'
      ? [address.sentinels, address.sentinelCredentials]
      : [address.nodes, address.credentials];
  const problems = await Promise.all(nodes.map((node) => problemOf(node, credentials, access)));
  return `${explanation}: ${problems.join('; ')}`;
}

async function problemOf(endpoint: Endpoint, credentials: Credentials, access: RedisAccess): Promise<string> {
  const name = endpointText(endpoint);
  const address = { ...access.address, kind: 'server', endpoint, credentials } as const;
  const problem = await tryOnce({ ...access, address });
  // Node says itself where it could not connect to.
  return problem.includes(name) ? problem : `${name}: ${problem}`;
}

function tryOnce(access: RedisAccess): Promise<string> {
  const explain = explainFor(access);
  const redis = new Redis({
    ...connectionOptions(access, ANSWER_MILLISECONDS),
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  return new Promise<string>((resolve) => {
    redis.on('error', (error: Error) => resolve(explain(error)));
    redis.once('close', () => resolve(explainEnd(access.address.isEncrypted)));
    redis.once('ready', () => resolve('it can be reached now'));
  }).finally(() => redis.disconnect());
}
