import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Deployment, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { requestBytes, sendRaw } from '../support/raw-http.ts';

describeWith(['nginx', 'redis-server'], 'nginx responds with JSON to', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment();
  });
  afterAll(() => deployment?.stop());

  function expectOwnError(response: HttpResponse, status: number, error = 'invalid_request') {
    expect([response.status, response.json().error]).toEqual([status, error]);
    const fields = ['content-type', 'cache-control', 'pragma'].map((name) => response.headers.get(name));
    expect(fields).toEqual(['application/json', 'no-store', 'no-cache']);
    expect(response.headers.get('proxy-status')).toMatch(/^nginx; error=/);
  }

  test.each([mtlsHost, plainHost])('a body of 1 MB at %s', async (host) => {
    expectOwnError(await deployment.send({ body: 'x'.repeat(1024 * 1024) }, { host }), 413);
  });

  test.each([['Content-Length: 1000000'], ['Transfer-Encoding: chunked']])(
    'a body of 1 MB with an expired certificate (%s)',
    async (framing) => {
      const identity = deployment.ca.issue({ notAfter: new Date(Date.now() - 60_000) });
      const chunk = framing.startsWith('T') ? 'f4240\r\n' : '';
      const request = `POST /token HTTP/1.1\r\n${host}${framing}\r\n\r\n${chunk}${'x'.repeat(1_000_000)}`;
      expectOwnError(await deployment.sendBytes(Buffer.from(request), { identity }), 413);
    },
  );

  const host = `Host: ${mtlsHost}\r\n`;
  test.each([
    ['a malformed request line', 'GET / x HTTP/1.1\r\n\r\n', 400],
    ['two Host fields', `GET /jwks HTTP/1.1\r\n${host}${host}\r\n`, 400],
    ['no Host', 'GET /jwks HTTP/1.1\r\n\r\n', 400],
    ['a malformed chunk', `POST /token HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nx\r\n`, 400],
    ['TRACE', `TRACE / HTTP/1.1\r\n${host}\r\n`, 405],
    ['a long request line', `GET /${'x'.repeat(9_000)} HTTP/1.1\r\n${host}\r\n`, 414],
    ['another host', 'GET / HTTP/1.1\r\nHost: other.example\r\n\r\n', 421],
    ['the host of another server block', `GET / HTTP/1.1\r\nHost: ${plainHost}\r\n\r\n`, 421],
    ['a long header field', `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(9_000)}\r\n\r\n`, 431],
    ['another transfer coding', `POST /token HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`, 501],
    ['another version of HTTP', `POST /token HTTP/3.0\r\n${host}\r\n`, 505],
  ])('%s', async (_, request, status) => {
    expectOwnError(await deployment.sendBytes(Buffer.from(request)), status);
  });

  test('a request without TLS', async () => {
    const request = requestBytes({ lines: [`Host: ${mtlsHost}`], method: 'GET' });
    expectOwnError(await sendRaw(`http://127.0.0.1:${deployment.port}`, request), 400);
  });

  test.each([
    [421, plainHost],
    [421, 'other.example'],
    [400, `${mtlsHost}/x`],
  ])('a request with %i, and logs its Host header %s', async (status, name) => {
    const host = `Host: ${name}\r\n`;
    expectOwnError(await deployment.sendBytes(Buffer.from(`GET / HTTP/1.1\r\n${host}\r\n`)), status);
    const log = () => readFileSync(join(deployment.directory, 'countersign-rejected.log'), 'utf8');
    await eventually(() => log().includes(`"http_host":"${name}"`), log);
    const line = log()
      .split('\n')
      .find((text) => text.includes(`"status":${status},`) && text.includes(`"http_host":"${name}"`));
    const id = expect.stringMatching(/^[0-9a-f]{32}$/);
    expect(JSON.parse(line ?? '')).toMatchObject({ status, request_id: id, client_address: '127.0.0.1' });
  });

  test.each(['request', ''])('a request for the internal location "%s", with 404', async (name) => {
    expectOwnError(await deployment.send({ method: 'GET', path: `/countersign-error/${name}` }), 404);
  });

  test('a request while the server is unavailable, with 503 and Retry-After', async () => {
    await deployment.countersign.stop();
    for (const host of [mtlsHost, plainHost]) {
      const response = await deployment.send({ method: 'GET', path: '/jwks' }, { host });
      expectOwnError(response, 503, 'temporarily_unavailable');
      expect(response.headers.get('retry-after')).toBe('2');
    }
  });
});
