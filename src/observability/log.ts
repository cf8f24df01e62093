import { pino } from 'pino';

/** A structured log. `fields` contains the name of the event; `message` is for humans. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One JSON object per line on standard output, written synchronously so that no line is lost when the process ends. */
export function createLog(): Log {
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'message',
  };
  return pino(options, pino.destination({ dest: 1, sync: true }));
}
