import { AdministrationError } from '../../administration/administration-error.ts';
import { ApplyLease } from '../../administration/apply-lock.ts';
import { openRecordStore, type RecordStore } from '../../administration/record-store.ts';
import type { RegistrationPolicy } from '../../clients/diagnostics.ts';
import { registryKeys } from '../../clients/registry/registry.ts';
import { readAdministrationConfig } from '../../config.ts';
import { StartupError } from '../../operator-error.ts';
import { openRedis } from '../../redis/connection.ts';
import type { Environment } from '../../settings/settings.ts';
import { createProgressBar, type ProgressBar } from '../progress-bar.ts';
import { type Finishing, interruptible, type WhenLeft } from './interruptible.ts';

/** What a command needs that looks after the clients in Redis. */
export interface Administration {
  readonly store: RecordStore;
  /** Not taken. */
  readonly lease: ApplyLease;
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch, when the command began. */
  readonly now: number;
  readonly progress: ProgressBar;
  /** For what is written: a signal lets it come to an end, and leaves everything else. */
  readonly finishing: Finishing;
  readonly whenLeft: WhenLeft;
}

type Work<Answer> = (administration: Administration) => Promise<Answer>;

/** Redis may have a queue of thousands of our commands to answer. */
const COMMAND_MILLISECONDS = 30_000;

/**
 * Does some work on the clients in Redis, and closes the connection after it.
 *
 * @throws {StartupError} with everything that kept it from being done
 * @throws {InterruptedError} where SIGINT or SIGTERM did
 */
export async function administer<Answer>(env: Environment, work: Work<Answer>): Promise<Answer> {
  const { redis, policy } = readAdministrationConfig(env);
  const progress = createProgressBar(env);
  try {
    return await interruptible(progress.clear, (finishing, whenLeft) =>
      withStore(redis, (opened) => work({ ...opened, policy, now: Date.now(), progress, finishing, whenLeft })),
    );
  } catch (error) {
    throw error instanceof AdministrationError ? new StartupError(error.messages) : error;
  } finally {
    progress.clear();
  }
}

async function withStore<Answer>(
  access: ReturnType<typeof readAdministrationConfig>['redis'],
  use: (opened: Pick<Administration, 'store' | 'lease'>) => Promise<Answer>,
): Promise<Answer> {
  const { description } = access.address;
  const options = { ...access, commandMilliseconds: COMMAND_MILLISECONDS, isBulk: true, onConnection: () => {} };
  const connection = await openRedis(options);
  try {
    if (connection.problem !== undefined) {
      throw new StartupError([`COUNTERSIGN_REDIS_URL: ${description} cannot be asked: ${connection.problem}`]);
    }
    const keys = registryKeys(access.keyPrefix);
    const store = openRecordStore(connection, keys, description);
    return await use({ store, lease: new ApplyLease(connection, keys.apply, description) });
  } finally {
    connection.close();
  }
}
