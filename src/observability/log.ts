import { createTimeFormatter } from './time-formatter.ts';

/** A structured log. `fields` contains the name of the event; `message` is for humans. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** In ascending order. */
export const logLevels = ['info', 'warn', 'error'] as const satisfies readonly (keyof Log)[];

export type LogLevel = (typeof logLevels)[number];

/** Renders an event as one line, which ends with its only newline. */
export type LineFormat = (level: LogLevel, fields: object, message: string) => string;

interface LogOptions {
  /** Default: {@link jsonLine}. */
  readonly format?: LineFormat;
  /** Events of lower levels are not written. Default: `info`. */
  readonly level?: LogLevel;
}

/** A log of one line for each event. */
export function createLog(append: (line: string) => void, { format = jsonLine, level = 'info' }: LogOptions = {}): Log {
  const at = (of: LogLevel) =>
    logLevels.indexOf(of) < logLevels.indexOf(level)
      ? () => {}
      : (fields: object, message: string) => append(format(of, fields, message));
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** The event that is written when an output for the log can be written again. */
export function restoredLine(reason: string, lostLines: number, format: LineFormat = jsonLine): string {
  return format('warn', { event: 'log_restored', reason, lost_lines: lostLines }, restored(lostLines));
}

/** The same for an output for decisions: meanwhile, requests were rejected with this code. */
export function decisionsRestoredLine(reason: string, lostLines: number, format: LineFormat = jsonLine): string {
  const fields = { event: 'log_restored', code: 'audit_unwritable', reason, lost_lines: lostLines };
  return format('warn', fields, restored(lostLines));
}

function restored(lostLines: number): string {
  return `the log can be written again; ${lostLines} lines were lost since the start`;
}

/** The fields are not copied into the object that is written: most lines are audit events, which have many. */
export const jsonLine: LineFormat = (level, fields, message) => {
  const members = JSON.stringify(fields).slice(1, -1);
  return `{"level":"${level}","time":"${formatTime(Date.now())}",${members},"message":${JSON.stringify(message)}}\n`;
};

const formatTime = createTimeFormatter();
