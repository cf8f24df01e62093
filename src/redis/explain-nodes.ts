import { Redis } from 'ioredis';
import { connectionOptions, type RedisAccess } from './connect.ts';
import { type ErrorExplainer, explainClose, explainerFor, isUnreachable } from './explain.ts';
import { type Credentials, type Endpoint, formatEndpoint } from './url.ts';

/**
 * Explains an error as `explain` does. When no sentinel or cluster node is reachable, ioredis does not report
 * why, so each configured one is probed once and its problem appended.
 */
export async function explainPerNode(error: Error, access: RedisAccess, explain: ErrorExplainer): Promise<string> {
  const { address } = access;
  const explanation = explain(error);
  if (!isUnreachable(error) || (address.kind !== 'sentinel' && address.kind !== 'cluster')) return explanation;
  const [nodes, credentials] =
    address.kind === 'sentinel'
      ? [address.sentinels, address.sentinelCredentials]
      : [address.nodes, address.credentials];
  const problems = await Promise.all(nodes.map((node) => nodeProblem(node, credentials, access)));
  return `${explanation}: ${problems.join('; ')}`;
}

async function nodeProblem(endpoint: Endpoint, credentials: Credentials, access: RedisAccess): Promise<string> {
  const name = formatEndpoint(endpoint);
  const address = { ...access.address, kind: 'server', endpoint, credentials } as const;
  const problem = await probeNode({ ...access, address });
  // The errors of Node.js already contain the address that could not be connected to.
  return problem.includes(name) ? problem : `${name}: ${problem}`;
}

const COMMAND_TIMEOUT_MILLISECONDS = 1_000;

function probeNode(access: RedisAccess): Promise<string> {
  const explain = explainerFor(access);
  const redis = new Redis({
    ...connectionOptions(access, COMMAND_TIMEOUT_MILLISECONDS),
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  return new Promise<string>((resolve) => {
    redis.on('error', (error: Error) => resolve(explain(error)));
    redis.once('close', () => resolve(explainClose(access.address.isEncrypted)));
    redis.once('ready', () => resolve('reachable now'));
  }).finally(() => redis.disconnect());
}
