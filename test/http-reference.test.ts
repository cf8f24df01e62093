import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openapiDocument } from '../docs/openapi/document.ts';
import type { Operation } from '../docs/openapi/operation.ts';
import { describeListenAddress } from '../src/http/listen-address.ts';
import { type EdgeServer, startEdge } from './edge/edge-server.ts';
import { certificateLine, claimsFor, client, startTokenServer, type TokenServer } from './endpoints/token-server.ts';
import { selfSigned } from './support/certificates.ts';
import type { HttpResponse } from './support/http-response.ts';
import { openssl } from './support/openssl.ts';
import { type RawRequest, sendRequest } from './support/raw-http.ts';
import { type ServiceInProcess, startServiceInProcess } from './support/service.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const document = openapiDocument();
const operations = new Map(
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== 'servers')
      // Safe: what is left of a path item are its operations.
      .map(([method, operation]) => [
        (operation as Operation).operationId,
        { path, method, operation: operation as Operation },
      ]),
  ),
);

test('docs/openapi.json is a valid OpenAPI 3.1 document', async () => {
  const result = await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>);
  expect(result).toMatchObject({ valid: true });
});

describe('the HTTP reference', () => {
  let publicServer: TokenServer;
  let edge: EdgeServer;
  let service: ServiceInProcess;
  const exercised = new Map<string, Set<number>>();
  const ajv = new Ajv2020({ strict: false, formats: { uri: true } });
  ajv.addSchema({ $id: 'https://countersign.example/', components: document.components });

  beforeAll(async () => {
    publicServer = await startTokenServer(['a', 'b']);
    const certificate = selfSigned();
    const caller = client('a', certificate, { scope: 'read', audience: ['https://api.example'] });
    edge = await startEdge({ clients: [caller], resources: [{ name: 'api' }, { name: 'admin', scope: 'admin' }] });
    edgeLines = [certificateLine(certificate)];
    const file = join(temporaryDirectory(), 'clients.yaml');
    writeFileSync(file, 'clients: []');
    const ca = await openssl([
      'req',
      '-x509',
      '-newkey',
      'ed25519',
      '-nodes',
      '-subj',
      '/CN=ca',
      '-keyout',
      '/dev/null',
    ]);
    service = await startServiceInProcess(ca, {
      COUNTERSIGN_CLIENTS_FILE: file,
      COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0',
    });
  });
  afterAll(async () => {
    await Promise.all([publicServer.close(), edge.close(), service.close()]);
  });
  let edgeLines: readonly string[] = [];

  /** Compares a response with what the document says of its operation and status. */
  const expectDocumented = (operationId: string, response: HttpResponse) => {
    const documented = operations.get(operationId)?.operation.responses[response.status];
    expect(documented, `${operationId} has status ${response.status}: ${response.body}`).toBeDefined();
    exercised.set(operationId, (exercised.get(operationId) ?? new Set()).add(response.status));
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    const content = documented?.content?.[type];
    expect(response.body === '' || content !== undefined, `${operationId}: ${type}`).toBe(true);
    for (const [name, { schema }] of Object.entries(documented?.headers ?? {})) {
      const value = response.headers.get(name);
      // The headers of the edge that a check has no value for are in the one that lists them.
      if (value === null && operationId === 'checkRequest') continue;
      expect(ajv.validate(schema, value), `${operationId} ${response.status}: ${name}: ${value}`).toBe(true);
    }
    if (!content || !type.includes('json')) return;
    const reference = JSON.stringify(content.schema).replaceAll('"#/', '"https://countersign.example/#/');
    const isValid = ajv.validate(JSON.parse(reference), response.json());
    expect(isValid, `${operationId}: ${ajv.errorsText()}: ${response.body}`).toBe(true);
  };

  const token = () => publicServer.sign(claimsFor('a'));
  const own = () => [certificateLine(publicServer.certificateOf('a'))];
  const grant = { grant_type: 'client_credentials', client_id: 'a' };

  test.each<[string, number, () => RawRequest]>([
    ['requestToken', 200, () => ({ body: grant, lines: own() })],
    ['requestToken', 400, () => ({ body: grant })],
    ['requestToken', 401, () => ({ body: grant, lines: [`Authorization: Basic ${btoa('a:')}`] })],
    ['requestToken', 413, () => ({ body: 'a'.repeat(70_000), lines: [...own(), FORM] })],
    ['requestToken', 415, () => ({ body: grant, lines: [...own(), 'Content-Encoding: gzip'] })],
    ['introspectToken', 200, () => ({ path: '/introspect', body: { client_id: 'a', token: token() }, lines: own() })],
    [
      'introspectToken',
      200,
      () => ({ path: '/introspect', body: { client_id: 'a', token: 'x' }, lines: [...own(), SIGNED] }),
    ],
    ['introspectToken', 200, () => ({ path: '/introspect', body: { client_id: 'a', token: 'x' }, lines: own() })],
    ['introspectToken', 400, () => ({ path: '/introspect', body: { client_id: 'a' }, lines: own() })],
    ['introspectToken', 401, () => ({ path: '/introspect', body: { client_id: 'a', token: token() } })],
    ['introspectToken', 405, () => ({ path: '/introspect', method: 'GET' })],
    ['revokeToken', 200, () => ({ path: '/revoke', body: { client_id: 'a', token: token() }, lines: own() })],
    [
      'revokeToken',
      400,
      () => ({ path: '/revoke', body: { client_id: 'a', token: publicServer.sign(claimsFor('b')) }, lines: own() }),
    ],
    ['revokeToken', 401, () => ({ path: '/revoke', body: { client_id: 'b', token: token() }, lines: own() })],
    ['getKeys', 200, () => ({ path: '/jwks', method: 'GET' })],
    ['getKeys', 304, () => ({ path: '/jwks', method: 'GET', lines: ['If-None-Match: *'] })],
    ['getKeys', 405, () => ({ path: '/jwks', method: 'POST', body: '' })],
    ['getMetadata', 200, () => ({ path: '/.well-known/oauth-authorization-server', method: 'GET' })],
    ['getOpenidConfiguration', 200, () => ({ path: '/.well-known/openid-configuration', method: 'GET' })],
    ['authorize', 400, () => ({ path: '/authorize?client_id=a', method: 'GET' })],
  ])('%s responds with %i as documented', async (operationId, status, request) => {
    const response = await publicServer.send(request());
    expect(response.status).toBe(status);
    expectDocumented(operationId, response);
  });

  test.each([
    [200, '/edge/mint/api', () => edgeLines],
    [401, '/edge/mint/api', () => []],
    [401, '/edge/verify/api', () => [...edgeLines, 'Authorization: Bearer x']],
    [403, '/edge/mint/admin', () => edgeLines],
    [403, '/edge/mint/unknown', () => edgeLines],
  ])('checkRequest responds with %i as documented', async (status, path, lines) => {
    const response = await sendRequest(edge.url, { method: 'GET', path, lines: lines() });
    expect(response.status).toBe(status);
    expectDocumented('checkRequest', response);
  });

  test('checkRequest responds with 503 as documented', async () => {
    edge.replaced.registry = { findByCertificate: () => Promise.reject(new Error('a failure')) };
    const other = [certificateLine(selfSigned())];
    expectDocumented(
      'checkRequest',
      await sendRequest(edge.url, { method: 'GET', path: '/edge/mint/api', lines: other }),
    );
    expect(exercised.get('checkRequest')).toContain(503);
  });

  test.each(['getLiveness', 'getReadiness', 'getMetrics', 'getDecisions'])(
    '%s responds as documented',
    async (operationId) => {
      const { path = '' } = operations.get(operationId) ?? {};
      if (!service.operationsAddress) throw new Error('there is no operations listener');
      const url = describeListenAddress(service.operationsAddress);
      expectDocumented(operationId, await sendRequest(url, { method: 'GET', path }));
    },
  );

  test('requestToken responds with 500 as documented', async () => {
    publicServer.replaced.registry = { find: () => Promise.reject(new Error('a failure')) };
    expectDocumented('requestToken', await publicServer.send({ body: grant, lines: own() }));
    expect(exercised.get('requestToken')).toContain(500);
  });

  test('covers every operation', () => {
    expect([...exercised.keys()].sort()).toEqual([...operations.keys()].sort());
  });
});

const FORM = 'Content-Type: application/x-www-form-urlencoded';
const SIGNED = 'Accept: application/token-introspection+jwt';
