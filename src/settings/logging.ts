import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileErrorReason } from '../errors/file-error.ts';
import { type LogLevel, logLevels } from '../observability/log.ts';
import { oneOf } from './parsers.ts';
import { defineSettings } from './setting.ts';
import { PREFIX, type Settings } from './settings.ts';

export const loggingSettings = defineSettings('Logs', {
  LOG_LEVEL: {
    parse: oneOf(logLevels),
    description: 'lowest level that is logged: `info`, `warn` or `error`',
    details: 'Decisions, which are the [audit events](#log-and-audit-events), are recorded at every level.',
    default: 'info',
    mayDiffer: true,
  },
  LOG_FORMAT: {
    parse: oneOf(['json', 'pretty']),
    description: 'format of standard output: `json`, or `pretty` for humans',
    details: '`pretty` has colors on a terminal, unless `NO_COLOR` is set.',
    defaultDescription: '`pretty` on a terminal, otherwise `json`',
    mayDiffer: true,
  },
  AUDIT_FILE: {
    parse: parseLogPath,
    description: 'file to which decisions are appended, as JSON',
    details:
      'Created with mode 0640. Opened again on SIGHUP, and within a second after it was moved or removed. While it cannot be written, no token is issued. See [operate.md](operate.md#logs).',
    defaultDescription: 'none; decisions are written to standard output',
    mayDiffer: true,
  },
  AUDIT_STDOUT: {
    parse: oneOf(['on', 'off']),
    description: 'whether decisions are written to standard output: `on` or `off`',
    details: 'With both, requests are granted only if each was written.',
    defaultDescription: '`off` with `COUNTERSIGN_AUDIT_FILE`, otherwise `on`',
    mayDiffer: true,
  },
});
const { LOG_LEVEL, LOG_FORMAT, AUDIT_FILE, AUDIT_STDOUT } = loggingSettings;

export interface LoggingSettings {
  readonly level: LogLevel;
  /** Undefined if it depends on whether standard output is a terminal. */
  readonly format: 'json' | 'pretty' | undefined;
  /** Undefined if decisions are only written to standard output. */
  readonly audit: { readonly file: string; readonly alsoToStdout: boolean } | undefined;
}

/** Reads where and how the server logs. Problems are collected in `settings`. */
export function readLoggingSettings(settings: Settings): LoggingSettings {
  const file = settings.read(AUDIT_FILE);
  const stdout = settings.read(AUDIT_STDOUT);
  if (stdout === 'off' && !settings.has(AUDIT_FILE)) {
    settings.reject(AUDIT_STDOUT, `is off, so decisions are not recorded: set ${PREFIX}AUDIT_FILE, or remove it`);
  }
  return {
    level: settings.read(LOG_LEVEL),
    format: settings.read(LOG_FORMAT),
    audit: file === undefined ? undefined : { file, alsoToStdout: stdout === 'on' },
  };
}

/** @throws {RangeError} when it is known that lines cannot be appended to the file */
function parseLogPath(path: string): string {
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    if (file?.isDirectory()) throw new RangeError(`${path} is a folder: name a file in it`);
    // With the slash, it has to be a folder.
    accessSync(file ? path : `${dirname(path)}/`, constants.W_OK);
    return path;
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new RangeError(`${path} cannot be opened: ${fileErrorReason(error)}`);
  }
}
