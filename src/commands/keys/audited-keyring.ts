import { type ChangeAudit, currentUser, type KeyringEvent } from '../../administration/change-audit.ts';
import type { RedisLocation } from '../../settings/keys-location.ts';
import type { Environment } from '../../settings/settings.ts';
import type { ChangeOptions } from '../../tokens/keyring/redis/change-keyring.ts';
import type { StoredKey, StoredKeyring } from '../../tokens/keyring/redis/stored-keyring.ts';
import { changeAudit } from '../clients/change-audit.ts';
import { withKeyringInRedis } from './keyring-in-redis.ts';

interface Changed {
  /** Undefined if there was no keyring. */
  readonly before?: StoredKeyring | undefined;
  readonly after: StoredKeyring;
}

/**
 * Changes the keyring in Redis, and records what was changed.
 *
 * @throws {OperatorError} with every problem
 */
export async function withAuditedKeyring<Result extends Changed>(
  env: Environment,
  location: RedisLocation,
  change: (options: ChangeOptions) => Promise<Result>,
): Promise<Result> {
  const audit = changeAudit(env);
  audit?.open();
  const changed = await withKeyringInRedis(location, change);
  if (audit) reportChange(changed, audit);
  return changed;
}

function reportChange({ before, after }: Changed, audit: ChangeAudit): void {
  const { keys } = after;
  const known = new Map((before?.keys ?? []).map((key) => [key.keyId, JSON.stringify(key)]));
  const kidsOf = (some: readonly StoredKey[]) => some.map(({ keyId }) => keyId);
  const event: KeyringEvent = {
    event: 'keyring_changed',
    by: currentUser(),
    added: kidsOf(keys.filter(({ keyId }) => !known.has(keyId))),
    changed: kidsOf(keys.filter((key) => known.has(key.keyId) && known.get(key.keyId) !== JSON.stringify(key))),
    removed: [...known.keys()].filter((kid) => keys.every(({ keyId }) => keyId !== kid)),
  };
  if (event.added.length + event.changed.length + event.removed.length > 0) audit.report(event);
}
