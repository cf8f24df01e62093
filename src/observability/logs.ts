import { fileErrorReason } from '../errors/file-error.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { callEvery } from '../shared-timer.ts';
import type { Written } from './audit.ts';
import {
  createLog,
  decisionsRestoredLine,
  jsonLine,
  type LineFormat,
  type Log,
  type LogLevel,
  restoredLine,
} from './log.ts';
import { LogFile } from './log-file.ts';
import { LogOutput } from './log-output.ts';

/** The log of a server, and where it records its decisions. */
export interface Logs {
  readonly log: Log;
  /** For the events of decisions. No level silences it. */
  readonly audit: Log;
  /** Whether the decisions that were logged last have been written to each output for them. */
  written(): Written;
  /** Why decisions cannot be written; undefined if they can. */
  readonly problem: string | undefined;
  /** How many lines could not be written since the start, to all outputs. */
  readonly lostLines: number;
  /** Opens the audit file again, which may have been rotated. */
  reopen(): void;
  /** Writes the pending lines now: for the end of the process. */
  flush(): void;
}

interface LogsOptions {
  readonly log: Log;
  /** Default: `log`. */
  readonly audit?: Log;
  /** The outputs of `audit`. */
  readonly decisions: readonly [LogOutput, ...LogOutput[]];
  /** That of `log`, if it is not one of them. */
  readonly others?: readonly LogOutput[];
  readonly reopen?: () => void;
}

export function createLogs({ log, audit = log, decisions, others = [], reopen = () => {} }: LogsOptions): Logs {
  const [first, ...further] = decisions;
  const all = [...decisions, ...others];
  const allWritten = async () => (await Promise.all(decisions.map((output) => output.written()))).every(Boolean);
  return {
    log,
    audit,
    written: further.length === 0 ? () => first.written() : allWritten,
    get problem() {
      return decisions.find(({ problem }) => problem !== undefined)?.problem;
    },
    get lostLines() {
      return all.reduce((sum, { lostLines }) => sum + lostLines, 0);
    },
    reopen,
    flush: () => {
      for (const output of all) output.flush();
    },
  };
}

export interface LoggingConfig {
  /** Of the log. Decisions are always recorded. */
  readonly level: LogLevel;
  /** On standard output. A file has JSON. */
  readonly format: LineFormat;
  /** Undefined if decisions are only written to standard output. */
  readonly audit: { readonly file: string; readonly alsoToStdout: boolean } | undefined;
}

/**
 * Opens the outputs of the server.
 *
 * @param onOutage called with the problem when writing to an output begins to fail
 * @throws {OperatorError} when the audit file cannot be opened
 */
export function openLogs({ level, format, audit }: LoggingConfig, onOutage: (problem: string) => void): Logs {
  const stdoutRestored = audit && !audit.alsoToStdout ? restoredLine : decisionsRestoredLine;
  const stdout = new LogOutput({ restoredLine: (...outage) => stdoutRestored(...outage, format), onOutage });
  const toStdout = (line: string) => stdout.append(line);
  const log = createLog(toStdout, { format, level });
  if (!audit) return createLogs({ log, audit: createLog(toStdout, { format }), decisions: [stdout] });

  const { output: file, reopen } = openAuditFile(audit.file, (problem) => {
    onOutage(problem);
    const fields = { event: 'audit_file_failed', code: 'audit_unwritable', reason: problem };
    log.error(fields, 'decisions cannot be recorded: requests get 503');
  });
  if (!audit.alsoToStdout) {
    return createLogs({
      log,
      audit: createLog((line) => file.append(line)),
      decisions: [file],
      others: [stdout],
      reopen,
    });
  }
  const both = createLogOfTwo(file, stdout, format);
  return createLogs({ log, audit: both, decisions: [file, stdout], reopen });
}

/** An event has the same time in both. */
function createLogOfTwo(file: LogOutput, stdout: LogOutput, format: LineFormat): Log {
  const at = (level: LogLevel) => (fields: object, message: string) => {
    const line = jsonLine(level, fields, message);
    file.append(line);
    stdout.append(format === jsonLine ? line : format(level, fields, message));
  };
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** How often to check whether the audit file has been moved away or removed without a signal. */
const MOVED_CHECK_MILLISECONDS = 1_000;

/** What is rotated without a signal is opened again as well: otherwise, lines would go to a file that is removed. */
function openAuditFile(path: string, onOutage: (problem: string) => void) {
  const file = new LogFile(path);
  try {
    file.open();
  } catch (error) {
    throw new OperatorError([`COUNTERSIGN_AUDIT_FILE: ${path} cannot be opened: ${fileErrorReason(error)}`]);
  }
  const write = (bytes: Uint8Array) => file.write(bytes);
  const output = new LogOutput({
    write,
    name: `the audit file ${path}`,
    restoredLine: decisionsRestoredLine,
    onOutage,
  });
  const reopen = () => output.reopen(() => file.open());
  callEvery(MOVED_CHECK_MILLISECONDS, () => file.isMoved() && reopen());
  return { output, reopen };
}
