import { ApplyLock } from '../../administration/apply-lock.ts';
import { auditedRevocations } from '../../administration/audited-revocations.ts';
import { auditedStore } from '../../administration/audited-store.ts';
import { openRecordStore, type RecordStore } from '../../administration/record-store.ts';
import { openRevocationStore, type RevocationStore } from '../../administration/revocation-store.ts';
import type { RegistrationPolicy } from '../../clients/registration-policy.ts';
import { registryKeys } from '../../clients/registry/registry.ts';
import type { Environment } from '../../settings/settings.ts';
import { connectToRedis } from '../connect-to-redis.ts';
import { printWarnings } from '../output/errors.ts';
import { createProgressBar, type ProgressBar } from '../output/progress-bar.ts';
import { readAdministrationConfig } from './administration-config.ts';
import { changeAudit } from './change-audit.ts';
import { Interruption } from './interruption.ts';

/** What a command that manages records in Redis works with. Disposing of it closes the connection. */
export interface Administration extends AsyncDisposable {
  readonly store: RecordStore;
  readonly revocations: RevocationStore;
  readonly policy: RegistrationPolicy;
  /** When the command started, in milliseconds since the epoch. */
  readonly now: number;
  readonly progress: ProgressBar;
  readonly interruption: Interruption;
  /** Creates the lock of `clients apply`, not acquired yet. */
  readonly createLock: () => ApplyLock;
}

/** Thousands of commands of one run may be queued in Redis. */
const COMMAND_TIMEOUT_MILLISECONDS = 30_000;

/**
 * Reads the settings and connects to Redis.
 *
 * @throws {OperatorError} with every invalid setting, or when Redis is unreachable
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function openAdministration(env: Environment): Promise<Administration> {
  const { redis, policy, warnings } = readAdministrationConfig(env);
  printWarnings(warnings);
  await using resources = new AsyncDisposableStack();
  const progress = resources.use(createProgressBar(env));
  const interruption = resources.use(new Interruption(progress.clear));
  const options = { commandTimeoutMilliseconds: COMMAND_TIMEOUT_MILLISECONDS, isBulk: true };
  const connecting = connectToRedis(redis, options);
  const connection = resources.adopt(await interruption.abortable(connecting), (opened) => opened.close());
  const { description } = redis.address;
  const keys = registryKeys(redis.keyPrefix);
  const store = openRecordStore(connection, keys, description);
  const revocations = openRevocationStore(connection, redis.keyPrefix, description);
  const audit = changeAudit(env);
  const opened = resources.move();
  return {
    store: audit ? auditedStore(store, audit) : store,
    revocations: audit ? auditedRevocations(revocations, audit) : revocations,
    policy,
    now: Date.now(),
    progress,
    interruption,
    createLock: () => new ApplyLock(connection, keys.applyLock, description),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
