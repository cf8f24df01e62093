import { pino } from 'pino';

/** One JSON object a line on standard output. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The log of a running server. Its lines are written at once, so that none is lost when the process ends. */
export function createLog(): Log {
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'message',
  };
  return pino(options, pino.destination({ dest: 1, sync: true }));
}
