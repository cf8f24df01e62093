import { expect, test } from 'vitest';
import { Denial, denialHeaders, denialStatus } from '../../src/edge/denial.ts';
import { client, startTokenServer } from './token-server.ts';

test('a client obtains the tokens of its rate, then 429 until the time has passed, and others are not affected', async () => {
  const server = await startTokenServer(['limited', 'other']);
  server.clients.set('limited', client('limited', server.certificateOf('limited'), { token_rate: '2/m' }));
  const start = Date.now();
  const request = async (clientId: string, seconds: number) => {
    server.replaced.now = start + seconds * 1_000;
    return server.post('/token', clientId, { grant_type: 'client_credentials' });
  };
  const statuses: number[] = [];
  for (const seconds of [0, 0, 0, 20, 30]) statuses.push((await request('limited', seconds)).status);
  expect(statuses).toEqual([200, 200, 429, 429, 200]);
  expect((await request('other', 30)).status).toBe(200);
  const { body, headers } = await request('limited', 30);
  expect([JSON.parse(body).error, headers.get('retry-after')]).toEqual(['temporarily_unavailable', '30']);
  const { replaced, certificateOf } = server;
  replaced.now = undefined;
  // Whoever has not the certificate of the client does not learn of its rate, nor uses it up.
  const foreign = await server.send({
    path: '/token',
    lines: [`X-SSL-Client-Cert: ${encodeURIComponent(certificateOf('other').pem)}`],
    body: { grant_type: 'client_credentials', client_id: 'limited' },
  });
  expect([foreign.status, JSON.parse(foreign.body).error]).toEqual([400, 'invalid_client']);
  await server.close();
});

test('a check that would exceed the rate of the client is denied with a status that no proxy lets through', () => {
  const denial = new Denial('token_rate_exceeded', 'too many tokens');
  expect([denial.error, denialStatus[denial.error]]).toEqual(['rate_limited', 403]);
  expect(denialHeaders(denial, undefined).slice(0, 4)).toEqual([
    'X-Countersign-Error',
    'rate_limited',
    'Retry-After',
    '1',
  ]);
});
