import type { Log } from '../../../observability/log.ts';
import { keyPhases } from '../lifecycle.ts';
import type { StoredKeyring } from './stored-keyring.ts';

/** Logs what happens to the keyring in Redis. What is found again at each poll is logged when it changes. */
export interface KeyringLog {
  loaded(keyring: StoredKeyring, now: number): void;
  changed(keyring: StoredKeyring, now: number): void;
  /** By a keyring with another id. */
  replaced(keyring: StoredKeyring, replaced: StoredKeyring, now: number): void;
  /** This server has written back what it held. */
  restored(keyring: StoredKeyring, found: 'none' | 'older'): void;
  /** @param reason why no private key can be unsealed; undefined if all are */
  sealed(reason: string | undefined): void;
  missing(): void;
  rejected(reason: string): void;
  /** Redis responds, but refuses the command. */
  readFailed(reason: string): void;
  /** The keyring of this server is the one in Redis. */
  settled(): void;
  maintenanceFailed(reason: string): void;
  maintained(): void;
}

export function createKeyringLog(log: Log, retention: number): KeyringLog {
  const problems = onChange();
  const sealingProblems = onChange();
  const maintenanceProblems = onChange();
  const describe = (keyring: StoredKeyring, now: number) => describeKeyring(keyring, retention, now);
  return {
    loaded: (keyring, now) =>
      log.info({ event: 'keyring_loaded', ...describe(keyring, now) }, 'the keyring was loaded from Redis'),
    changed: (keyring, now) =>
      log.info({ event: 'keyring_changed', ...describe(keyring, now) }, 'the keyring in Redis has changed'),
    replaced: (keyring, { id }, now) =>
      log.warn({ event: 'keyring_replaced', replaced_id: id, ...describe(keyring, now) }, REPLACED),
    restored: ({ id, version }, found) => log.warn({ event: 'keyring_restored', id, version, found }, RESTORED[found]),
    sealed: (reason) => {
      if (reason === undefined) sealingProblems.clear();
      else sealingProblems.add(reason, () => log.error({ event: 'keyring_sealed', reason }, SEALED));
    },
    missing: () => problems.add('missing', () => log.error({ event: 'keyring_missing' }, MISSING)),
    rejected: (reason) =>
      problems.add(`rejected: ${reason}`, () => log.error({ event: 'keyring_rejected', reason }, REJECTED)),
    readFailed: (reason) =>
      problems.add(`read failed: ${reason}`, () => log.error({ event: 'keyring_read_failed', reason }, READ_FAILED)),
    settled: problems.clear,
    maintenanceFailed: (reason) =>
      maintenanceProblems.add(reason, () => log.error({ event: 'keyring_maintenance_failed', reason }, UNMAINTAINED)),
    maintained: maintenanceProblems.clear,
  };
}

const REPLACED = 'another keyring was created in Redis: tokens of the previous keys are rejected from now on';
const WRITTEN_BACK = 'this server has written back the keyring that it holds';
const RESTORED = {
  none: `Redis had lost the keyring: ${WRITTEN_BACK}`,
  older: `Redis had lost changes of the keyring: ${WRITTEN_BACK}`,
};
const SEALED = 'no key of the keyring can sign here: it is published, and tokens are verified';
const MISSING = 'there is no keyring in Redis: run `countersign keys create`';
const REJECTED = 'the keyring in Redis is not used, and not overwritten';
const READ_FAILED = 'the keyring cannot be read from Redis';
const UNMAINTAINED = 'the keyring in Redis cannot be maintained: no new key is published until this is fixed';

/** What an operator compares with `countersign keys list`. */
function describeKeyring({ id, version, keys }: StoredKeyring, retention: number, now: number) {
  const phases = keyPhases(keys, retention, now);
  const keyIds = (wanted: string) => phases.filter(({ state }) => state === wanted).map(({ key }) => key.keyId);
  return { id, version, signing: keyIds('signing'), next: keyIds('next'), retired: keyIds('retired') };
}

/** Calls `report` when a problem is another one than before. */
function onChange() {
  let last: string | undefined;
  return {
    add: (problem: string, report: () => void) => {
      if (problem !== last) report();
      last = problem;
    },
    clear: () => {
      last = undefined;
    },
  };
}
