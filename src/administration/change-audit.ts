import { hostname, userInfo } from 'node:os';

/** The audit event of what a command has changed. It contains no value of a record, and no key. */
export type ChangeEvent = RecordEvent | RevocationEvent | KeyringEvent;

/** Of a record. It names fields, and contains none of their values. */
export interface RecordEvent extends Author {
  readonly event: `${'client' | 'resource'}_${'added' | 'changed' | 'removed'}`;
  readonly client_id?: string;
  readonly resource?: string;
  /** Paths of the fields that differ, such as `certificates[0].thumbprint`. */
  readonly fields?: readonly string[];
}

/** Of tokens: one of `jti`, `client_id` and `audience`. */
export interface RevocationEvent extends Author {
  readonly event: 'tokens_revoked';
  readonly jti?: string;
  readonly client_id?: string;
  readonly audience?: string;
  /** The last moment of issue that is revoked. */
  readonly before?: string;
}

/** Of the keyring in Redis, with the `kid` of each key. */
export interface KeyringEvent extends Author {
  readonly event: 'keyring_changed';
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

interface Author {
  /** Who ran the command: `user@host`. */
  readonly by: string;
}

/** Where changes are recorded. Both methods throw if that fails. */
export interface ChangeAudit {
  /** Called before the first change, and again before others. */
  open(): void;
  /** Records a change that is in effect. */
  report(change: ChangeEvent): void;
}

/** A container may run as a user without a name. */
export function currentUser(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `uid ${process.getuid?.()}@${hostname()}`;
  }
}
