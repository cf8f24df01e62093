import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { createConsoleLog } from '../../src/development/console-log.ts';

function linesOf(write: (log: ReturnType<typeof createConsoleLog>) => void): string[] {
  const lines: string[] = [];
  write(createConsoleLog((line) => lines.push(stripVTControlCharacters(line).replace(/^\d\d:\d\d:\d\d /, ''))));
  return lines;
}

test('the development console states why a request was rejected or malformed', () => {
  const lines = linesOf((log) => {
    log.warn({ event: 'token_rejected', client_id: 'a', error: 'invalid_client', reason: 'no certificate' }, 'x');
    log.warn({ event: 'request_malformed', code: 'header_field_malformed', reason: 'invalid header' }, 'malformed');
  });
  expect(lines).toEqual([
    'rejected a invalid_client: no certificate',
    'note     malformed: invalid header (header_field_malformed)',
  ]);
});

test('the development console names the client and the resource of each new token and each denied check at the edge', () => {
  const lines = linesOf((log) => {
    log.info({ event: 'edge_token_minted', client_id: 'a', resource: 'api' }, 'minted');
    log.info({ event: 'edge_token_verified', client_id: 'b', resource: 'api' }, 'verified');
    log.warn(
      { event: 'edge_check_denied', client_id: 'b', resource: 'api', error: 'invalid_token', reason: 'x' },
      'denied',
    );
    log.warn({ event: 'edge_check_denied', error: 'unknown_route', reason: 'y' }, 'denied');
  });
  expect(lines).toEqual([
    'minted   a for api',
    'verified b for api',
    'denied   b for api invalid_token: x',
    'denied   unknown caller for no resource unknown_route: y',
  ]);
});

test('the development console states whether an introspected token is active, for which client, and why not', () => {
  const event = 'token_introspected';
  const lines = linesOf((log) => {
    log.info({ event, client_id: 'api', token_client_id: 'a', active: true }, 'introspected');
    log.info({ event, client_id: 'a', active: true }, 'introspected');
    log.info({ event, client_id: 'api', token_client_id: 'a', active: false, reason: 'the token: is revoked' }, 'x');
    log.warn({ event: 'introspection_rejected', client_id: 'a', error: 'invalid_request', reason: 'no token' }, 'x');
  });
  expect(lines).toEqual([
    'active   token of a, for api',
    'active   token of a, for a',
    'inactive for api: the token: is revoked',
    'rejected a invalid_request: no token',
  ]);
});

test('the development console is silent about events that no developer acts on', () => {
  expect(linesOf((log) => log.info({ event: 'listening' }, 'listening'))).toEqual([]);
});
