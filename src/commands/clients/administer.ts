import { AdministrationError } from '../../administration/administration-error.ts';
import { openRecordStore, type RecordStore } from '../../administration/record-store.ts';
import type { RegistrationPolicy } from '../../clients/findings.ts';
import { registryKeys } from '../../clients/registry-keys.ts';
import { readAdministrationConfig } from '../../config.ts';
import type { Environment } from '../../operations/settings.ts';
import { StartupError } from '../../operations/startup-error.ts';
import { openRedis } from '../../redis/redis-connection.ts';
import { createProgressBar, type ProgressBar } from '../progress-bar.ts';

/** What a command needs that looks after the clients in Redis. */
export interface Administration {
  readonly store: RecordStore;
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch, when the command began. */
  readonly now: number;
  readonly progress: ProgressBar;
}

/** Redis may have a queue of thousands of our commands to answer. */
const COMMAND_MILLISECONDS = 30_000;

/**
 * Does some work on the clients in Redis, and closes the connection after it.
 *
 * @throws {StartupError} with everything that kept it from being done
 */
export async function administer<Answer>(
  env: Environment,
  work: (administration: Administration) => Promise<Answer>,
): Promise<Answer> {
  const { redis: access, policy } = readAdministrationConfig(env);
  const { description } = access.address;
  const connection = await openRedis({
    ...access,
    commandMilliseconds: COMMAND_MILLISECONDS,
    isBulk: true,
    onConnection: () => {},
  });
  const progress = createProgressBar();
  try {
    if (connection.problem !== undefined) {
      throw new StartupError([`COUNTERSIGN_REDIS_URL: ${description} cannot be asked: ${connection.problem}`]);
    }
    const store = openRecordStore(connection, registryKeys(access.keyPrefix), description);
    return await work({ store, policy, now: Date.now(), progress });
  } catch (error) {
    progress.clear();
    throw error instanceof AdministrationError ? new StartupError(error.messages) : error;
  } finally {
    connection.redis.disconnect();
  }
}
