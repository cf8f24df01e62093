import { registryKeys } from '../clients/registry/registry.ts';
import { type Config, readConfig } from '../config.ts';
import { ConfigurationError, combined, OperatorError } from '../errors/operator-error.ts';
import { checkListenAddress } from '../http/check-address.ts';
import { describeListenAddress, type ListenAddress } from '../http/listen-address.ts';
import type { Log } from '../observability/log.ts';
import { openRedis, type RedisConnection } from '../redis/connection.ts';
import { isWrongType } from '../redis/guarded-redis.ts';
import { watchClientCa } from '../service/client-ca.ts';
import { openCrls } from '../service/crls.ts';
import { openKeyring } from '../service/keyring.ts';
import { openRegistry } from '../service/registry.ts';
import { describeConfig } from '../service/startup-log.ts';
import { createWatchedFiles, type WatchedFiles } from '../service/watched-files.ts';
import type { RedisConfig } from '../settings/redis.ts';
import type { Environment } from '../settings/settings.ts';
import { describeUnknownSetting } from '../settings/unknown-settings.ts';
import { revocationKeys } from '../tokens/revocation/revocation-store.ts';
import { checkKeyringInRedis } from './keys/keyring-in-redis.ts';
import { printWarnings } from './output/errors.ts';

/**
 * `countersign serve --check`: loads every file that the configuration names, as the server does when it starts, connects
 * to Redis, and checks that each address can be bound. It changes nothing and fetches no CRL, so it can run beside the
 * server. An address that is in use is reported, and is not a problem.
 *
 * @throws {ConfigurationError} with every problem
 * @throws {OperatorError} if it is valid, and Redis cannot be used
 */
export async function checkConfiguration(env: Environment): Promise<void> {
  const config = readConfig(env);
  printWarnings([...config.warnings, ...config.unknownSettings.map(describeUnknownSetting)]);
  const found = await loadEverything(config);
  for (const line of [...describeConfig(config), ...found]) console.log(line);
  console.log('the configuration is valid');
}

/** @returns what was found, for humans */
async function loadEverything(config: Config): Promise<readonly string[]> {
  const watched = createWatchedFiles();
  await using opened = new AsyncDisposableStack();
  opened.defer(() => watched.stop());
  const currentTrust = watchClientCa(config.clientCa, watched, warningLog, () => {});
  const localCrls = config.crl && { ...config.crl, urls: [] };
  const connected = config.clients.store === 'redis' ? requireConnection(config.clients) : Promise.resolve();
  const checks = [
    findClients(config, connected, watched, opened),
    findKeys(config, connected, watched, opened),
    ...listenersOf(config).map(checkListener),
    loading(openCrls({ ...config, crl: localCrls }, currentTrust, watched, warningLog)).then((crls) => {
      opened.defer(() => crls?.stop());
      return [];
    }),
  ];
  const results = await Promise.allSettled(checks);
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  for (const error of errors) if (!(error instanceof OperatorError)) throw error;
  // If clients and keys are in Redis, both have the problem of its connection.
  if (errors.length > 0) throw combined(errors);
  return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}

type Found = Promise<readonly string[]>;

interface ConfiguredListener {
  readonly variable: string;
  readonly address: ListenAddress;
}

function listenersOf({ listen, edge, operationsListen }: Config): readonly ConfiguredListener[] {
  return [
    { variable: 'COUNTERSIGN_LISTEN', address: listen },
    ...(edge ? [{ variable: 'COUNTERSIGN_EDGE_LISTEN', address: edge.listen }] : []),
    ...(operationsListen ? [{ variable: 'COUNTERSIGN_OPERATIONS_LISTEN', address: operationsListen }] : []),
  ];
}

async function checkListener({ variable, address }: ConfiguredListener): Found {
  const state = await checkListenAddress(address).catch((error: unknown) => {
    if (!(error instanceof OperatorError)) throw error;
    throw new ConfigurationError(error.problems.map((problem) => `${variable}: ${problem}`));
  });
  if (state === 'free') return [];
  const owner = 'the server that is running, or another program, which has to stop first';
  return [`${describeListenAddress(address)} is in use by ${owner} (${variable})`];
}

/** @param connected rejects if Redis cannot be reached */
async function findClients(
  config: Config,
  connected: Promise<void>,
  watched: WatchedFiles,
  opened: AsyncDisposableStack,
): Found {
  if (config.clients.store === 'redis') {
    await connected;
    return ['connected to Redis'];
  }
  const registry = await loading(openRegistry(config, { watched, log: warningLog }));
  opened.defer(() => registry.close());
  return [`clients in ${registry.description}`];
}

/** @param connected rejects if Redis cannot be reached */
async function findKeys(
  config: Config,
  connected: Promise<void>,
  watched: WatchedFiles,
  opened: AsyncDisposableStack,
): Found {
  if (config.keyring.source === 'redis') {
    await connected;
    return [`${await checkKeyringInRedis(config.keyring)} keys in the keyring in Redis`];
  }
  const keyring = await loading(openKeyring(config, undefined, watched, warningLog));
  opened.defer(() => keyring.close());
  return [`signing with ${keyring.description}`];
}

/** What a setting names is a part of the configuration. */
async function loading<Value>(loaded: Promise<Value>): Promise<Value> {
  try {
    return await loaded;
  } catch (error) {
    throw error instanceof OperatorError ? new ConfigurationError(error.problems) : error;
  }
}

/** Of an attempt to connect, which takes at most 3 s, and of its replies. */
const COMMAND_TIMEOUT_MILLISECONDS = 1_000;

async function requireConnection(redis: RedisConfig): Promise<void> {
  const options = { commandTimeoutMilliseconds: COMMAND_TIMEOUT_MILLISECONDS, onStatusChange: () => {} };
  const connection = await openRedis({ ...redis, ...options });
  try {
    const { problem } = connection;
    if (problem !== undefined)
      throw new OperatorError([
        `COUNTERSIGN_REDIS_URL: cannot reach Redis at ${redis.address.description}: ${problem}`,
      ]);
    await requireReads(connection, redis.keyPrefix);
  } finally {
    connection.close();
  }
}

/** A server starts although the ACL of its user denies reading, but it is not ready, or rejects each token at the edge. */
async function requireReads({ redis, explain }: RedisConnection, prefix: string): Promise<void> {
  const { clientPrefix, marker } = registryKeys(prefix);
  const { stream, prefix: revokedPrefix } = revocationKeys(prefix);
  const problemsOf = async (reads: readonly Promise<unknown>[]) => {
    const results = await Promise.allSettled(reads);
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    // The server copes with a value of another type.
    const problems = errors.filter((error) => !isWrongType(error)).map((error) => explain(error));
    return [...new Set(problems)].map((problem) => `COUNTERSIGN_REDIS_URL: ${problem}`);
  };
  const [problems, warnings] = await Promise.all([
    problemsOf([redis.get(clientPrefix), redis.get(marker)]),
    problemsOf([redis.get(revokedPrefix), redis.xrange(stream, '-', '+', 'COUNT', 1)]),
  ]);
  if (problems.length > 0) throw new OperatorError(problems);
  printWarnings(warnings);
}

/** What does not keep the server from starting is printed. */
const warningLog: Log = {
  info: () => {},
  warn: (_, message) => printWarnings([message]),
  error: (_, message) => printWarnings([message]),
};
