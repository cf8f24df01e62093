import { styleText } from 'node:util';
import type { Log } from '../observability/log.ts';

/** The fields of a log event that the console uses. */
interface EventFields {
  readonly event?: string;
  readonly client_id?: string;
  readonly error?: string;
  readonly reason?: string;
  readonly code?: string;
  readonly scope?: string;
  readonly resource?: string;
  readonly advice?: string;
  readonly peer?: string;
  readonly active?: boolean;
  readonly token_client_id?: string;
}

/** The line that is written when the console can be written again. */
export function consoleRestoredLine(reason: string, lostLines: number): string {
  return `The console can be written again (${reason}); ${lostLines} lines were lost since the start.\n`;
}

/** The tokens of which the first use at the edge is an event. */
const edgeTokens: Readonly<Record<string, string>> = {
  edge_token_minted: 'minted  ',
  edge_token_verified: 'verified',
};

/** The events of requests that the public listener rejects. */
const rejections: readonly unknown[] = ['token_rejected', 'introspection_rejected', 'revocation_rejected'];

/** The events of level info that are written. Without `clients_reloaded`, a fixed file would still look broken. */
const writtenEvents: readonly unknown[] = [
  'token_issued',
  'token_introspected',
  ...Object.keys(edgeTokens),
  'clients_reloaded',
];

/** A human-readable log: one short line for each token request, new check, warning, and reload of the clients. */
export function createConsoleLog(write: (line: string) => void): Log {
  const line = (symbol: string, text: string) =>
    write(`${styleText('dim', new Date().toTimeString().slice(0, 8))} ${symbol} ${text}`);
  const writeEvent = (fields: EventFields, message: string) => {
    const client = fields.client_id ?? 'no client_id';
    const edgeToken = edgeTokens[fields.event ?? ''];
    if (fields.event === 'token_issued')
      line(styleText('green', 'issued  '), `${client} ${fields.scope ?? ''} ${fields.advice ?? ''}`.trimEnd());
    else if (edgeToken !== undefined) line(styleText('green', edgeToken), `${client} for ${fields.resource}`);
    else if (fields.event === 'token_introspected')
      line(styleText('green', fields.active ? 'active  ' : 'inactive'), describeIntrospection(client, fields));
    else if (rejections.includes(fields.event))
      line(styleText('red', 'rejected'), `${client} ${fields.error}: ${fields.reason}`);
    else if (fields.event === 'edge_check_denied')
      line(styleText('red', 'denied  '), `${describeCheck(fields)} ${fields.error}: ${fields.reason}`);
    else if (fields.event === 'request_malformed')
      line(styleText('yellow', 'note    '), describeMalformed(message, fields));
    else line(styleText('yellow', 'note    '), message);
  };
  return {
    info: (fields: EventFields, message) => {
      if (writtenEvents.includes(fields.event)) writeEvent(fields, message);
    },
    warn: writeEvent,
    error: writeEvent,
  };
}

function describeMalformed(message: string, { peer, reason, code }: EventFields): string {
  return `${message}${peer === undefined ? '' : ` (from ${peer})`}: ${reason} (${code})`;
}

function describeIntrospection(caller: string, { token_client_id: owner = caller, reason }: EventFields): string {
  return reason === undefined ? `token of ${owner}, for ${caller}` : `for ${caller}: ${reason}`;
}

/** A check names no client: its caller is known once it is authenticated. */
function describeCheck({ client_id: client = 'unknown caller', resource = 'no resource' }: EventFields): string {
  return `${client} for ${resource}`;
}
