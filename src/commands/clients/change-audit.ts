import type { ChangeAudit } from '../../administration/audited-store.ts';
import { fileErrorReason } from '../../file-error.ts';
import { jsonLine } from '../../observability/log.ts';
import { LogFile } from '../../observability/log-file.ts';
import { OperatorError } from '../../operator-error.ts';

/** Appends the events of changes to COUNTERSIGN_AUDIT_FILE, as a server on the same host does with its own. */
export function createChangeAudit(path: string): ChangeAudit {
  const file = new LogFile(path);
  const attempt = (write: () => unknown, consequence: string) => {
    try {
      write();
    } catch (error) {
      throw new OperatorError([
        `COUNTERSIGN_AUDIT_FILE: cannot write ${path}: ${fileErrorReason(error)}${consequence}`,
      ]);
    }
  };
  let isOpen = false;
  return {
    open: () => {
      if (!isOpen) attempt(() => file.open(), '; nothing is changed');
      isOpen = true;
    },
    report: (change) => {
      const line = Buffer.from(jsonLine('info', change, 'record changed by a command'));
      const name = change.client_id ?? change.resource;
      attempt(() => {
        if (file.write(line) < line.length) throw new Error('only a part of the line was written');
      }, `; the change of ${name} is in effect, and not recorded`);
    },
  };
}
