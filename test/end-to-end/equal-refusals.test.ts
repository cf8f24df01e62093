import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { type Deployment, mtlsHost, plainHost, type Route, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import type { HttpResponse } from '../support/http-response.ts';

const record = (client_id: string, more: object = {}) => ({
  client_id,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=victim',
  ...more,
});

/** Invalid values of a client's key in Redis. */
const invalidValues: [
  title: string,
  put: (redis: Redis, key: string, clientId: string) => Promise<unknown>,
  reason: string,
][] = [
  ['invalid JSON', (redis, key) => redis.set(key, '{"client_id":'), 'not valid JSON'],
  ['an empty string', (redis, key) => redis.set(key, ''), 'not valid JSON'],
  ['invalid UTF-8', (redis, key) => redis.set(key, Buffer.of(0xff, 0xfe, 0)), 'not valid UTF-8'],
  ['null', (redis, key) => redis.set(key, 'null'), 'not a JSON object'],
  ['a number', (redis, key) => redis.set(key, '1'), 'not a JSON object'],
  ['a list of records', (redis, key, id) => redis.set(key, JSON.stringify([record(id)])), 'not a JSON object'],
  ['an empty object', (redis, key) => redis.set(key, '{}'), 'client_id: '],
  ['a Redis list', (redis, key, id) => redis.rpush(key, JSON.stringify(record(id))), 'WRONGTYPE'],
  ['a Redis hash', (redis, key, id) => redis.hset(key, record(id)), 'WRONGTYPE'],
  ['a Redis set', (redis, key, id) => redis.sadd(key, JSON.stringify(record(id))), 'WRONGTYPE'],
  [
    "another client's record",
    (redis, key) => redis.set(key, JSON.stringify(record('victim'))),
    'client_id: is "victim"',
  ],
  [
    'a record with an invalid subject',
    (redis, key, id) => redis.set(key, JSON.stringify(record(id, { tls_client_auth_subject_dn: 'victim' }))),
    'tls_client_auth_subject_dn: invalid subject DN',
  ],
  [
    'a record with two subject values',
    (redis, key, id) => redis.set(key, JSON.stringify(record(id, { tls_client_auth_san_dns: 'victim.example' }))),
    'tls_client_auth_san_dns: conflicts with tls_client_auth_subject_dn',
  ],
  [
    'a record with an unknown field',
    (redis, key, id) => redis.set(key, JSON.stringify(record(id, { enabeld: false }))),
    'unknown field "enabeld"',
  ],
  [
    'a record without a method',
    (redis, key, id) => redis.set(key, JSON.stringify({ client_id: id })),
    'token_endpoint_auth_method: is missing',
  ],
  [
    'a record with __proto__',
    (redis, key, id) => redis.set(key, `{"__proto__":{"client_id":"${id}"}}`),
    'contains __proto__, which is a reserved name',
  ],
];

describeWith(['nginx', 'redis-server'], 'the response to a rejected client', () => {
  let deployment: Deployment;
  let genuine: MintedCertificate;
  let expected: ReturnType<typeof comparable>;

  beforeAll(async () => {
    deployment = await startDeployment();
    const { ca, register } = deployment;
    genuine = ca.issue({ subject: [['CN', 'victim']] });
    await register(record('victim'));
    await register(record('disabled', { enabled: false }));
    await register(record('ended', endedRegistration));
    await register({
      client_id: 'self-signed',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint: ca.thumbprint }],
    });
    expected = comparable((await deployment.requestToken('unknown', { identity: genuine })).response);
  });
  afterAll(() => deployment?.stop());

  async function expectGenuineToken() {
    const { response, event } = await deployment.requestToken('victim', { identity: genuine });
    expect([response.status, event.event]).toEqual([200, 'token_issued']);
  }

  const other = () => ({ identity: deployment.ca.issue({ subject: [['CN', 'other']] }) });
  const foreign = () => ({ identity: createTestCa().issue({ subject: [['CN', 'victim']] }) });
  const own = () => ({ identity: genuine });

  const rejected: [title: string, clientId: string, () => Route, reason: RegExp][] = [
    ['an unknown client with a certificate', 'unknown', own, /^no client is registered under this client_id$/],
    [
      'an unknown client without a certificate',
      'unknown',
      () => ({}),
      /^no client is registered under this client_id$/,
    ],
    ['an unknown client with a certificate of another CA', 'unknown', foreign, /^no client is registered/],
    [
      'a client without a certificate',
      'victim',
      () => ({}),
      /^no certificate: the terminator forwarded no certificate/,
    ],
    ["a client with another's certificate", 'victim', other, /^the certificate's subject is "CN=other"/],
    ['a client with a certificate of another CA', 'victim', foreign, /^the certificate's chain is not verified/],
    [
      'a client on a host without client certificates',
      'victim',
      () => ({ ...own(), host: plainHost }),
      /^no certificate: /,
    ],
    ['a disabled client with its certificate', 'disabled', own, /^the client is disabled$/],
    ['a disabled client without a certificate', 'disabled', () => ({}), /^the client is disabled$/],
    ['a client whose registration has ended', 'ended', own, /^the registration of subject CN=victim has ended$/],
    ['a self-signed client with another certificate', 'self-signed', own, /is not registered for this client/],
    ['a client_id that starts like a Redis key', 'client:victim', own, /^no client is registered/],
    ['a malformed client_id', 'victim\r\n', own, /^the client_id is malformed/],
    ['a client_id with a wildcard', '*', own, /^no client is registered/],
  ];

  describe('with client_id in the body is the same, byte by byte except for the date, for', () => {
    test.each(rejected)('%s', async (_title, clientId, route, reason) => {
      const { response, event } = await deployment.requestToken(clientId, route());
      expect(comparable(response)).toEqual(expected);
      expect(event).toMatchObject({ event: 'token_rejected', reason: expect.stringMatching(reason) });
      await expectGenuineToken();
    });

    test('a client whose certificate nginx rejects (status and body)', async () => {
      const past = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) };
      const identity = deployment.ca.issue({ subject: [['CN', 'victim']], ...past });
      const request = { body: { grant_type: 'client_credentials', client_id: 'victim' } };
      const { response, event } = await deployment.decide(() => deployment.send(request, { identity }));
      expect([response.status, response.body, event.code]).toEqual([
        expected.status,
        expected.body,
        'certificate_expired',
      ]);
    });
  });

  describe('with client_id in the Authorization header is the same, byte by byte except for the date, for', () => {
    const withBasic = (clientId: string, route: Route) => {
      const lines = [`Authorization: Basic ${Buffer.from(`${encodeURIComponent(clientId)}:`).toString('base64')}`];
      return deployment.decide(() => deployment.send({ lines, body: { grant_type: 'client_credentials' } }, route));
    };

    test.each(rejected)('%s', async (_title, clientId, route, reason) => {
      const { response, event } = await withBasic(clientId, route());
      const { body } = expected;
      expect(comparable(response)).toEqual(comparable((await withBasic('unknown', { host: mtlsHost })).response));
      expect([response.status, response.body]).toEqual([401, body]);
      expect(response.headers.get('www-authenticate')).toBe('Basic realm="countersign"');
      expect(event.reason).toMatch(reason);
      expect((await withBasic('victim', own())).response.status).toBe(200);
    });
  });

  describe('for an invalid value in Redis is that for an unknown client, byte by byte except for the date:', () => {
    test.each(invalidValues)('%s', async (title, put, reason) => {
      const clientId = `invalid: ${title}`;
      await put(deployment.redis, deployment.keyOf(clientId), clientId);
      for (const route of [own(), {}]) {
        const { response, event } = await deployment.requestToken(clientId, route);
        expect(comparable(response)).toEqual(expected);
        const start = `the value of ${deployment.keyOf(clientId)} is not a client record: `;
        expect(event.reason).toContain(start);
        expect(String(event.reason).slice(start.length)).toContain(reason);
      }
      await expectGenuineToken();
      await deployment.redis.del(deployment.keyOf(clientId));
      await deployment.register(record(clientId));
      expect((await deployment.requestToken(clientId, own())).response.status).toBe(200);
    });
  });
});

const endedRegistration = {
  token_endpoint_auth_method: undefined,
  tls_client_auth_subject_dn: undefined,
  client_secrets: [{ type: 'X509Name', value: 'CN=victim', expiration: '2020-01-31' }],
};

/** All that the client can see of a response, except for the date. */
function comparable({ status, headerLines, body }: HttpResponse) {
  return { status, headerLines: headerLines.filter((line) => !/^date:/i.test(line)), body };
}
