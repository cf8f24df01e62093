import { expect, test } from 'vitest';
import type { Arrival } from '../../../src/doctor/observer/arrival.ts';
import { createObservationStore } from '../../../src/doctor/observer/observation-store.ts';
import { upstreamEndpoint } from '../../../src/doctor/observer/upstream.ts';
import { HeaderFields } from '../../../src/http/header-fields.ts';
import type { HttpRequest } from '../../../src/http/received-request.ts';
import { AccessTokenError } from '../../../src/tokens/access-token.ts';
import type { VerifiedAccessToken } from '../../../src/tokens/access-token-verifier.ts';

const id = 'w'.repeat(24);
const tagged = `/any/path?a=b&countersign-doctor=${id}.17`;

const token = {
  issuer: 'https://auth.example',
  subject: 'spiffe://prod.example/billing',
  clientId: 'billing',
  audience: ['https://orders.example'],
  scope: ['orders'],
  tokenId: 'j',
  issuedAt: 1_800_000_000,
  expiresAt: 4_102_444_800,
  notBefore: undefined,
  certificateThumbprint: 'c',
};

/** Verifies "valid" and "unbound" only. */
async function verify(text: string): Promise<VerifiedAccessToken> {
  // Safe: the key is not read.
  const key = undefined as never;
  if (text === 'unbound') return { token: { ...token, certificateThumbprint: undefined }, digest: 'u', key };
  if (text !== 'valid') throw new AccessTokenError('token_malformed', 'is none');
  return { token, digest: 'd', key };
}

async function receive(url: string, headers: readonly string[] = [], rawTrailers: string[] = []) {
  const arrivals = createObservationStore<Arrival>(() => 0);
  arrivals.watch(id);
  const endpoint = upstreamEndpoint({ arrivals, accessTokens: { verify }, now: () => 0 });
  const fields = new HeaderFields(headers);
  // Safe: the endpoint reads nothing else.
  const request = {
    method: 'GET',
    url,
    fields,
    rawTrailers,
    readBody: async () => Buffer.alloc(0),
  } as unknown as HttpRequest;
  const { status } = await endpoint(request);
  return { status, arrivals: arrivals.read(id) ?? [] };
}

test('a request with the id of a watch in its query is observed under its own name', async () => {
  expect(await receive(tagged)).toEqual({
    status: 204,
    arrivals: [{ request: '17', fields: [], token: { kind: 'absent' } }],
  });
});

test.each([
  ['without a tag', '/'],
  ['of another watch', `/?countersign-doctor=${'x'.repeat(24)}.17`],
  ['with a tag in its path', `/countersign-doctor=${id}.17`],
  ['with a tag in another parameter', `/?xcountersign-doctor=${id}.17`],
])('a request %s is not found', async (_, url) => {
  expect(await receive(url)).toEqual({ status: 404, arrivals: [] });
});

test.each([
  ['X-Countersign-Client-Id', 'header'],
  ['x_countersign.client_id', 'header'],
  ['X-Countersign-Unknown', 'header'],
  ['X-Envoy-Auth-Headers-To-Remove', 'header'],
  ['X-SSL-Client-Cert', 'header'],
  ['X-Countersign-Scope', 'trailer'],
] as const)('%s in a %s is observed as it arrived', async (name, place) => {
  const { arrivals } = await (place === 'header' ? receive(tagged, [name, 'v']) : receive(tagged, [], [name, 'v']));
  expect(arrivals[0]?.fields).toMatchObject([{ name, value: 'v', bytes: 1, in: place }]);
});

test('other fields and the values of secrets are not observed', async () => {
  const { arrivals } = await receive(tagged, [
    ...['Cookie', 'hunter2', 'X-Api-Key', 'hunter2', 'X-Countersign-Proxy-Secret', 'hunter2'],
    ...['AUTHORIZATION', 'Basic hunter2'],
  ]);
  expect(JSON.stringify(arrivals)).not.toContain('hunter2');
  expect(arrivals[0]?.fields.map(({ name }) => name)).toEqual(['X-Countersign-Proxy-Secret', 'AUTHORIZATION']);
});

test('a token of this server is observed as what its identity headers are', async () => {
  const { arrivals } = await receive(tagged, ['Authorization', 'Bearer valid']);
  expect(arrivals[0]?.token).toEqual({
    kind: 'valid',
    identity: {
      'x-countersign-client-id': 'billing',
      'x-countersign-subject': 'spiffe://prod.example/billing',
      'x-countersign-scope': 'orders',
      'x-countersign-audience': 'https://orders.example',
      'x-countersign-expires': '4102444800',
    },
  });
});

test.each([
  [['Authorization', 'Bearer unbound'], { kind: 'unbound' }],
  [['Authorization', 'Bearer other'], { kind: 'invalid', reason: 'the access token is none' }],
  [['Authorization', 'Basic YTpi'], { kind: 'invalid', reason: 'Authorization does not use the scheme Bearer' }],
  [
    ['Authorization', 'Bearer valid', 'authorization', 'Bearer valid'],
    { kind: 'invalid', reason: 'Authorization appears 2 times' },
  ],
])('%j is observed with its reason', async (headers, expected) => {
  expect((await receive(tagged, headers)).arrivals[0]?.token).toEqual(expected);
});

test('at most 64 fields are observed', async () => {
  const many = Array.from({ length: 100 }, (_, index) => [`X-Countersign-${index}`, 'v']).flat();
  expect((await receive(tagged, many)).arrivals[0]?.fields).toHaveLength(64);
});
