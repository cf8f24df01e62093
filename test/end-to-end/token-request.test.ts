import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { type RunningCountersign, startCountersign } from '../support/countersign.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { openssl } from '../support/openssl.ts';
import { sendRaw, sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Sends token requests (RFC 6749) directly to the server, in the place of the trusted proxy. */
const client = selfSigned();
const certificate = [`X-SSL-Client-Cert: ${encodeURIComponent(client.pem)}`, 'X-SSL-Client-Verify: FAILED:self-signed'];
const form = { grant_type: 'client_credentials', client_id: 'a' };
const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;
const formType = 'Content-Type: application/x-www-form-urlencoded';

let server: RunningCountersign;

beforeAll(async () => {
  const folder = temporaryDirectory();
  const key = join(folder, 'key.pem');
  writeFileSync(key, await openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']), {
    mode: 0o600,
  });
  const clients = join(folder, 'clients.json');
  const record = { client_id: 'a', token_endpoint_auth_method: 'self_signed_tls_client_auth', scope: 'read write' };
  writeFileSync(clients, JSON.stringify([{ ...record, certificates: [{ pem: client.pem }] }]));
  server = await startCountersign({
    env: {
      COUNTERSIGN_ISSUER: 'https://auth.example/tenant',
      COUNTERSIGN_MTLS_URL: 'https://auth.example/mtls',
      COUNTERSIGN_TERMINATOR: 'nginx',
      COUNTERSIGN_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_SIGNING_KEY_FILE: key,
      COUNTERSIGN_CLIENTS_FILE: clients,
    },
  });
});
afterAll(() => server.stop());

const post = (body: Record<string, string> | string, lines: string[] = [], path = '/token') =>
  sendRequest(server.url, {
    path,
    body,
    lines: [...certificate, ...(typeof body === 'string' ? [formType] : []), ...lines],
  });

function expectError(response: HttpResponse, status: number, code: string): void {
  expect([response.status, response.json().error]).toEqual([status, code]);
  expect(Object.keys(response.json()).sort()).toEqual(['error', 'error_description']);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(response.headers.get('cache-control')).toBe('no-store');
}

describe('POST /token issues a token', () => {
  test.each([
    ['for a form', form, []],
    [
      'for a form with a charset',
      new URLSearchParams(form).toString(),
      ['Content-Type: application/x-www-form-urlencoded; charset=UTF-8'],
    ],
    ['with an unknown parameter', { ...form, x: 'y' }, []],
    ['with an empty scope', { ...form, scope: '' }, []],
    ['with the client_id in Basic and an empty secret', { grant_type: 'client_credentials' }, [basic('a:')]],
    ['with an Accept header for another type', form, ['Accept: text/html']],
  ])('%s', async (_, body, lines) => {
    const response =
      typeof body === 'string'
        ? await sendRequest(server.url, { body, lines: [...certificate, ...lines] })
        : await post(body, lines);
    expect(response.status).toBe(200);
    expect(response.json()).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'read write' });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('pragma')).toBe('no-cache');
  });

  test.each(['/token', '/tenant/token', '/mtls/token'])('at %s', async (path) => {
    expect((await post(form, [], path)).status).toBe(200);
  });

  test('with the headers of the proxy behind thousands of others', async () => {
    const others = Array.from({ length: 5000 }, (_, index) => `x${index}: y`);
    expect((await sendRequest(server.url, { body: form, lines: [...others, ...certificate] })).status).toBe(200);
    const repeated = { body: form, lines: [...certificate, ...others, ...certificate] };
    expectError(await sendRequest(server.url, repeated), 400, 'invalid_client');
  });

  test('for a chunked body', async () => {
    const body = new URLSearchParams(form).toString();
    const head = [
      'POST /token HTTP/1.1',
      'Host: x',
      formType,
      ...certificate,
      'Transfer-Encoding: chunked',
      'Connection: close',
    ];
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    expect((await sendRaw(server.url, Buffer.from(`${head.join('\r\n')}\r\n\r\n${chunk}`))).status).toBe(200);
  });

  test.each([
    'charset=ISO-8859-1',
    'charset=us-ascii',
    'charset=utf8',
    'charset="UTF-8"; q=1',
    'boundary=x',
    'Charset=windows-1252',
  ])('with the media type parameter %s', async (parameter) => {
    const type = `Content-Type: Application/X-WWW-Form-URLEncoded; ${parameter}`;
    const lines = [...certificate, type, 'Content-Encoding: identity'];
    expect((await sendRequest(server.url, { body: form, lines })).status).toBe(200);
  });
});

describe('a token request is rejected', () => {
  const body = new URLSearchParams(form).toString();
  test.each<[string, () => Promise<HttpResponse>, number, string]>([
    ['without grant_type', () => post({ client_id: 'a' }), 400, 'invalid_request'],
    ['with an empty grant_type', () => post({ ...form, grant_type: '' }), 400, 'invalid_request'],
    ['for an unknown grant type', () => post({ ...form, grant_type: 'password' }), 400, 'unsupported_grant_type'],
    ['for an unknown scope', () => post({ ...form, scope: 'admin' }), 400, 'invalid_scope'],
    ['for an unknown resource', () => post({ ...form, resource: 'https://x' }), 400, 'invalid_target'],
    ['with a repeated parameter', () => post(`${body}&client_id=a`), 400, 'invalid_request'],
    ['with a repeated empty parameter', () => post(`${body}&scope=&scope=`), 400, 'invalid_request'],
    ['without client_id', () => post({ grant_type: 'client_credentials' }), 400, 'invalid_client'],
    ['with an empty client_id', () => post({ ...form, client_id: '' }), 400, 'invalid_client'],
    [
      'with a client_secret in addition to the certificate',
      () => post({ ...form, client_secret: 's' }),
      400,
      'invalid_request',
    ],
    [
      'with a secret in Basic in addition to the certificate',
      () => post({ grant_type: 'client_credentials' }, [basic('a:s')]),
      400,
      'invalid_request',
    ],
    [
      'with a client_assertion in addition to the certificate',
      () => post({ ...form, client_assertion: 'x' }),
      400,
      'invalid_request',
    ],
    ['with different client_ids in Basic and body', () => post(form, [basic('b:')]), 400, 'invalid_request'],
    ['with malformed Basic credentials', () => post(form, ['Authorization: Basic !']), 401, 'invalid_client'],
    ['with another scheme than Basic', () => post(form, ['Authorization: Digest x']), 401, 'invalid_client'],
    [
      'with an unknown client in Basic',
      () => post({ grant_type: 'client_credentials' }, [basic('b:')]),
      401,
      'invalid_client',
    ],
    ['with parameters in the URL', () => post(form, [], '/token?client_id=a'), 400, 'invalid_request'],
    ['with an empty query', () => post(form, [], '/token?'), 400, 'invalid_request'],
    ['with all parameters in the URL', () => post('', [], `/token?${body}`), 400, 'invalid_request'],
    [
      'with method GET',
      () => sendRequest(server.url, { method: 'GET', path: `/token?${body}`, lines: certificate }),
      405,
      'invalid_request',
    ],
    [
      'with method PUT',
      () => sendRequest(server.url, { method: 'PUT', body: form, lines: certificate }),
      405,
      'invalid_request',
    ],
    [
      'as JSON',
      () =>
        sendRequest(server.url, {
          body: JSON.stringify(form),
          lines: [...certificate, 'Content-Type: application/json'],
        }),
      400,
      'invalid_request',
    ],
    ['without a content type', () => sendRequest(server.url, { body, lines: certificate }), 400, 'invalid_request'],
    ['with parameters that are not UTF-8', () => post(`${body}&scope=%ff`), 400, 'invalid_request'],
    ['in TLS early data', () => post(form, ['Early-Data: 1']), 425, 'invalid_request'],
    [
      'with a Connection header that names the certificate header',
      () => post(form, ['Connection: close, x-ssl-client-cert']),
      400,
      'invalid_request',
    ],
    ['at another path', () => post(form, [], '/tokens'), 404, 'invalid_request'],
  ])('%s', async (_, send, status, code) => {
    expectError(await send(), status, code);
  });

  test('with a body of 1 MB, with Content-Length or chunked', async () => {
    const large = 'x'.repeat(1024 * 1024);
    expectError(await post(`${body}&x=${large}`), 413, 'invalid_request');
    const head = ['POST /token HTTP/1.1', 'Host: x', formType, ...certificate, 'Transfer-Encoding: chunked'];
    const chunks = `${head.join('\r\n')}\r\n\r\n${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`;
    expectError(await sendRaw(server.url, Buffer.from(chunks)), 413, 'invalid_request');
  });

  test.each([
    ['Content-Encoding: gzip', 415, '"gzip"', 'Content-Encoding is not supported'],
    ['Content-Encoding: identity, BR', 415, '"identity, br"', 'Content-Encoding is not supported'],
    ['Content-Range: bytes 0-9/20', 400, 'Content-Range', 'Content-Range is not supported'],
    ['Content-Type: application/x-www-form-urlencoded; charset=utf-16', 400, '"utf-16"', 'The charset of the request'],
    [`${formType}; x=y\r\nContent-Type: application/json`, 400, 'Content-Type is repeated', 'Content-Type is repeated'],
    [`${formType}\r\n${formType}`, 400, 'Content-Type is repeated', 'Content-Type is repeated'],
  ])('by the name of its header %s', async (line, status, cause, description) => {
    const type = line.startsWith('Content-Type') ? [] : [formType];
    const request = { body, lines: [...certificate, ...type, line] };
    const response = await sendRequest(server.url, request);
    expectError(response, status, 'invalid_request');
    expect(response.json().error_description).toContain(description);
    await server.waitForEvent(({ reason }) => String(reason).includes(cause));
  });

  test.each([
    ['an invalid chunk size', 'Transfer-Encoding: chunked', 'zz\r\n', /^the request body is incomplete: a chunk/],
    [
      'a chunk of another size',
      'Transfer-Encoding: chunked',
      '1\r\nabc\r\n',
      /: a chunk of the body does not have the size/,
    ],
    [
      'bare line feeds',
      'Transfer-Encoding: chunked',
      '1\na\n0\n\n',
      /: the line of a chunk size, or a field of the trailer/,
    ],
    [
      'a malformed trailer',
      'Transfer-Encoding: chunked',
      '0\r\na b\r\n\r\n',
      /: the line of a chunk size, or a field of/,
    ],
    ['a tab', 'Transfer-Encoding: chunked\t', '0\r\n\r\n', /: Transfer-Encoding is not exactly chunked/],
  ])('once, with its cause, for a body with %s', async (_, framing, content, reason) => {
    const head = ['POST /token HTTP/1.1', 'Host: x', formType, ...certificate, framing, '', ''].join('\r\n');
    expectError(await sendRaw(server.url, Buffer.from(head + content)), 400, 'invalid_request');
    await server.waitForEvent(({ event, reason: logged }) => event === 'token_rejected' && reason.test(String(logged)));
    expect(server.lines.filter(({ event }) => event === 'request_malformed')).toEqual([]);
  });

  test.each([`\uFEFF${body}`, `?${body}`])('for the body %j with either framing', async (text) => {
    const bytes = Buffer.from(text);
    expectError(await post(text), 400, 'invalid_request');
    const head = ['POST /token HTTP/1.1', 'Host: x', formType, ...certificate, 'Transfer-Encoding: chunked', '', ''];
    const chunks = [`${head.join('\r\n')}${bytes.length.toString(16)}\r\n`, bytes, '\r\n0\r\n\r\n'];
    expectError(
      await sendRaw(server.url, Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)))),
      400,
      'invalid_request',
    );
  });

  test('with a challenge only if it has an Authorization header', async () => {
    expect((await post(form, ['Authorization: Basic !'])).headers.get('www-authenticate')).toMatch(/^Basic /);
    expect((await post({ ...form, client_id: 'b' })).headers.get('www-authenticate')).toBeNull();
    expect((await sendRequest(server.url, { method: 'GET', lines: certificate })).headers.get('allow')).toBe('POST');
  });

  test('in JSON also if it is not HTTP or its headers are too large', async () => {
    const garbage = await sendRaw(server.url, Buffer.from('HELLO\r\n\r\n'));
    expect([garbage.status, garbage.json().error]).toEqual([400, 'invalid_request']);
    const huge = await post(form, [`X-Filler: ${'x'.repeat(70_000)}`]);
    expect([huge.status, huge.json().error]).toEqual([431, 'invalid_request']);
  });
});

describe('the token endpoint leaks nothing', () => {
  const otherCertificate = createTestCa().issue();
  const headers = ({ pem }: { pem: string }) => [
    `X-SSL-Client-Cert: ${encodeURIComponent(pem)}`,
    'X-SSL-Client-Verify: NONE',
  ];

  test('to an unknown client, a wrong, missing or malformed certificate: the responses are identical', async () => {
    const attempts = [
      { body: { ...form, client_id: 'unknown' }, lines: certificate },
      { body: form, lines: headers(otherCertificate) },
      { body: form, lines: [] },
      { body: form, lines: ['X-SSL-Client-Cert: x', 'X-SSL-Client-Verify: SUCCESS'] },
      { body: form, lines: [...certificate, ...certificate] },
      { body: form, lines: ['X-SSL-Client-Verify: SUCCESS'] },
      { body: { ...form, client_id: 'a'.repeat(300) }, lines: certificate },
    ];
    const responses = await Promise.all(attempts.map((attempt) => sendRequest(server.url, attempt)));
    const distinct = responses.map(({ status, headerLines, body }) =>
      JSON.stringify([status, headerLines.filter((line) => !line.startsWith('Date:')), body]),
    );
    expect(new Set(distinct).size).toBe(1);
    expect(responses[0]?.json()).toEqual({
      error: 'invalid_client',
      error_description: 'Client authentication failed.',
    });
  });

  test('but the reason to the operator, in one audit event per request', async () => {
    const before = server.auditEvents().length;
    await post({ ...form, client_id: 'nobody' });
    await post(form);
    await sendRequest(server.url, { method: 'GET' });
    await server.waitForEvent(() => server.auditEvents().length === before + 3);
    expect(server.auditEvents().slice(before)).toMatchObject([
      {
        event: 'token_rejected',
        client_id: 'nobody',
        error: 'invalid_client',
        reason: 'no client is registered under this client_id',
      },
      {
        event: 'token_issued',
        client_id: 'a',
        method: 'self_signed_tls_client_auth',
        thumbprint: client.thumbprint,
        scope: 'read write',
      },
      { event: 'token_rejected', error: 'invalid_request', status: 405 },
    ]);
  });

  test('of a token, a certificate or a key to the log', async () => {
    const token = String((await post(form)).json().access_token);
    const log = JSON.stringify(server.lines);
    expect(log).not.toContain(token.split('.')[2]);
    expect(log).not.toContain('BEGIN');
    expect(log).not.toContain(Buffer.from(client.der).toString('base64').slice(0, 40));
  });
});
