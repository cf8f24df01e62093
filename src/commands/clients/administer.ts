import { AdministrationError } from '../../administration/administration-error.ts';
import { ApplyLock } from '../../administration/apply-lock.ts';
import { openRecordStore, type RecordStore } from '../../administration/record-store.ts';
import type { RegistrationPolicy } from '../../clients/registration-policy.ts';
import { registryKeys } from '../../clients/registry/registry.ts';
import { readAdministrationConfig } from '../../config.ts';
import { OperatorError } from '../../operator-error.ts';
import { openRedis } from '../../redis/connection.ts';
import type { Environment } from '../../settings/settings.ts';
import { InterruptedError, printProblem } from '../output/errors.ts';
import { createProgressBar, type ProgressBar } from '../output/progress-bar.ts';

/** What a command needs that looks after the clients in Redis. */
export interface Administration {
  readonly store: RecordStore;
  /** Not taken. */
  readonly lock: ApplyLock;
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch, when the command began. */
  readonly now: number;
  readonly progress: ProgressBar;
  /** For what is written: a signal lets it come to an end, and leaves everything else. */
  readonly graceful: Graceful;
  readonly onInterrupt: OnInterrupt;
}

type Work<Answer> = (administration: Administration) => Promise<Answer>;

/** Redis may have a queue of thousands of our commands to answer. */
const COMMAND_MILLISECONDS = 30_000;

/**
 * Does some work on the clients in Redis, and closes the connection after it.
 *
 * @throws {OperatorError} with everything that kept it from being done
 * @throws {InterruptedError} where SIGINT or SIGTERM did
 */
export async function openAdministration<Answer>(env: Environment, work: Work<Answer>): Promise<Answer> {
  const { redis, policy } = readAdministrationConfig(env);
  const progress = createProgressBar(env);
  try {
    return await interruptible(progress.clear, (finishing, whenLeft) =>
      withStore(redis, (opened) =>
        work({ ...opened, policy, now: Date.now(), progress, graceful: finishing, onInterrupt: whenLeft }),
      ),
    );
  } catch (error) {
    throw error instanceof AdministrationError ? new OperatorError(error.problems) : error;
  } finally {
    progress.clear();
  }
}

async function withStore<Answer>(
  access: ReturnType<typeof readAdministrationConfig>['redis'],
  use: (opened: Pick<Administration, 'store' | 'lock'>) => Promise<Answer>,
): Promise<Answer> {
  const { description } = access.address;
  const options = {
    ...access,
    commandTimeoutMilliseconds: COMMAND_MILLISECONDS,
    isBulk: true,
    onStatusChange: () => {},
  };
  const connection = await openRedis(options);
  try {
    if (connection.problem !== undefined) {
      throw new OperatorError([`COUNTERSIGN_REDIS_URL: ${description} cannot be asked: ${connection.problem}`]);
    }
    const keys = registryKeys(access.keyPrefix);
    const store = openRecordStore(connection, keys, description);
    return await use({ store, lock: new ApplyLock(connection, keys.applyLock, description) });
  } finally {
    connection.close();
  }
}

/**
 * Runs work that writes, and is not to be left in the middle: it is told by `stop` to begin nothing more, and says how
 * far it came by an AdministrationError.
 */
export type Graceful = <Answer>(work: (stop: AbortSignal) => Promise<Answer>) => Promise<Answer>;

/** Registers what is done before the work is left; it may not take long. */
export type OnInterrupt = (undo: () => Promise<void>) => void;

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Does some work, and leaves it when SIGINT or SIGTERM comes, or lets it finish what is under way. A second signal ends
 * the process at once.
 *
 * @param clear takes off the terminal what a message would stand behind
 * @throws {InterruptedError} where a signal came before the work was done
 */
export async function interruptible<Answer>(
  clear: () => void,
  work: (finishing: Graceful, whenLeft: OnInterrupt) => Promise<Answer>,
): Promise<Answer> {
  const stop = new AbortController();
  const { promise: left, reject: leave } = Promise.withResolvers<never>();
  const undoing: (() => Promise<void>)[] = [];
  let state: 'looking' | 'finishing' | 'finished' = 'looking';
  const interrupt = (signal: NodeJS.Signals) => {
    const error = new InterruptedError(signal, state === 'looking' ? 'nothing was changed' : '');
    if (stop.signal.aborted) process.exit(error.exitCode);
    stop.abort(signal);
    clear();
    if (state === 'finishing') printProblem(`${signal}: finishing what is under way; once more, and it is left`);
    else leave(error);
  };
  const finishing: Graceful = async (piece) => {
    state = 'finishing';
    try {
      return await piece(stop.signal);
    } catch (error) {
      if (!stop.signal.aborted || !(error instanceof AdministrationError)) throw error;
      throw new InterruptedError(stop.signal.reason, error.problems.join('\n'));
    } finally {
      state = 'finished';
    }
  };
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await Promise.race([left, work(finishing, (undo) => undoing.push(undo))]);
  } finally {
    if (stop.signal.aborted) await Promise.all(undoing.map((undo) => undo()));
    for (const signal of signals) process.off(signal, interrupt);
  }
}
