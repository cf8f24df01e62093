import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { certificateLine, claimsFor, client, startTokenServer, type TokenServer } from './token-server.ts';

const bearer = 'Authorization: Bearer an-old-token';

let server: TokenServer;
beforeAll(async () => {
  server = await startTokenServer(['a', 'b']);
  const own = server.certificateOf('a');
  server.clients.set('a', client('a', own));
});
afterAll(() => server?.close());
beforeEach(() => {
  server.events.splice(0);
});

const grant = { grant_type: 'client_credentials' };
const bodies = {
  '/token': () => grant,
  '/introspect': () => ({ token: server.sign(claimsFor('a')) }),
  '/revoke': () => ({ token: server.sign(claimsFor('a')) }),
};
const paths = ['/token', '/introspect', '/revoke'] as const;

describe.each(paths)('%s', (path) => {
  test('authenticates the client by its certificate if it sends its last token as well', async () => {
    const response = await server.post(path, 'a', bodies[path](), [bearer]);
    expect(response.status).toBe(200);
    expect(JSON.stringify(server.events)).not.toContain('an-old-token');
  });

  test.each([
    ['another scheme', ['Authorization: Negotiate an-old-token']],
    ['two tokens', [bearer, bearer]],
    ['a token and a client_id', [bearer, 'Authorization: Basic YTo=']],
  ])('rejects %s with 401', async (_, lines) => {
    const response = await server.post(path, 'a', bodies[path](), lines);
    expect([response.status, response.json().error]).toEqual([401, 'invalid_client']);
    expect(server.events).toMatchObject([{ code: 'authorization_unsupported' }]);
    expect(JSON.stringify(server.events)).not.toContain('an-old-token');
  });
});

test('a client that fails to authenticate and sends its last token gets 400 from /token, without a challenge', async () => {
  const lines = [certificateLine(server.certificateOf('b')), bearer];
  const response = await server.send({ path: '/token', lines, body: { ...grant, client_id: 'a' } });
  expect([response.status, response.headers.get('www-authenticate')]).toEqual([400, null]);
  expect(response.json().error).toBe('invalid_client');
});

test('a token names no client', async () => {
  const response = await server.send({
    path: '/token',
    lines: [certificateLine(server.certificateOf('a')), `Authorization: Bearer ${server.sign(claimsFor('a'))}`],
    body: grant,
  });
  expect(response.status).toBe(400);
  expect(server.events).toMatchObject([{ code: 'client_id_missing' }]);
});
