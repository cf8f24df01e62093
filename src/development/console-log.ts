import { styleText } from 'node:util';
import type { Log } from '../observability/log.ts';

interface Event {
  readonly event?: string;
  readonly client_id?: string;
  readonly error?: string;
  readonly reason?: string;
  readonly scope?: string;
  readonly advice?: string;
}

/** What is no warning and is told as well: without the second, a mended file would look as if it were still broken. */
const reportedEvents: readonly unknown[] = ['token_issued', 'clients_reloaded'];

/** A log for the eyes of a developer: one short line for each decision, each warning, and each change of the clients. */
export function createConsoleLog(write: (line: string) => void): Log {
  const line = (symbol: string, text: string) =>
    write(`${styleText('dim', new Date().toTimeString().slice(0, 8))} ${symbol} ${text}`);
  const show = (fields: Event, message: string) => {
    const client = fields.client_id ?? 'no client_id';
    if (fields.event === 'token_issued')
      line(styleText('green', 'issued '), `${client} ${fields.scope ?? ''} ${fields.advice ?? ''}`.trimEnd());
    else if (fields.event === 'token_rejected')
      line(styleText('red', 'refused'), `${client} ${fields.error}: ${fields.reason}`);
    else line(styleText('yellow', 'note   '), message);
  };
  return {
    info: (fields: Event, message) => {
      if (reportedEvents.includes(fields.event)) show(fields, message);
    },
    warn: show,
    error: show,
  };
}
