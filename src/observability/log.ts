import { createTimeFormatter } from './time-formatter.ts';

/** A structured log. `fields` contains the name of the event; `message` is for humans. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A log of one JSON object per line. */
export function createLog(append: (line: string) => void): Log {
  const at = (level: Level) => (fields: object, message: string) => append(jsonLine(level, fields, message));
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** Logged when the log can be written again. */
export function restoredLine(reason: string, lostLines: number): string {
  const message = `the log can be written again; ${lostLines} lines were lost since the start`;
  return jsonLine('warn', { event: 'log_restored', reason, lost_lines: lostLines }, message);
}

type Level = 'info' | 'warn' | 'error';

/** The fields are not copied into the object that is written: most lines are audit events, which have many. */
function jsonLine(level: Level, fields: object, message: string): string {
  const members = JSON.stringify(fields).slice(1, -1);
  return `{"level":"${level}","time":"${formatTime(Date.now())}",${members},"message":${JSON.stringify(message)}}\n`;
}

const formatTime = createTimeFormatter();
