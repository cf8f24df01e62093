import type { ChangeAudit, ChangeEvent } from '../../administration/change-audit.ts';
import { fileErrorReason } from '../../errors/file-error.ts';
import { ConfigurationError, OperatorError } from '../../errors/operator-error.ts';
import { jsonLine } from '../../observability/log.ts';
import { LogFile } from '../../observability/log-file.ts';
import type { Environment } from '../../settings/settings.ts';

/**
 * Appends the events of changes to COUNTERSIGN_AUDIT_FILE, as a server on the same host does with its own. The file is not
 * validated with the settings: a command that changes nothing need not be able to write it.
 *
 * @returns undefined if it is not set
 */
export function changeAudit({ COUNTERSIGN_AUDIT_FILE: path = '' }: Environment): ChangeAudit | undefined {
  return path === '' ? undefined : createChangeAudit(path);
}

function createChangeAudit(path: string): ChangeAudit {
  const file = new LogFile(path);
  const explain = (error: unknown, consequence: string) => [
    `COUNTERSIGN_AUDIT_FILE: cannot write ${path}: ${fileErrorReason(error)}; ${consequence}`,
  ];
  let isOpen = false;
  return {
    open: () => {
      if (isOpen) return;
      try {
        file.open();
      } catch (error) {
        throw new ConfigurationError(explain(error, 'nothing is changed'));
      }
      isOpen = true;
    },
    report: (change) => {
      const line = Buffer.from(jsonLine('info', change, messageOf(change)));
      try {
        if (file.write(line) < line.length) throw new Error('only a part of the line was written');
      } catch (error) {
        throw new OperatorError(explain(error, `${describe(change)} is in effect, and not recorded`));
      }
    },
  };
}

function describe(change: ChangeEvent): string {
  switch (change.event) {
    case 'tokens_revoked':
      return 'the revocation';
    case 'keyring_changed':
      return 'the change of the keyring';
    default:
      return `the change of ${change.client_id ?? change.resource}`;
  }
}

function messageOf({ event }: ChangeEvent): string {
  if (event === 'tokens_revoked') return 'tokens revoked by a command';
  return event === 'keyring_changed' ? 'keyring changed by a command' : 'record changed by a command';
}
