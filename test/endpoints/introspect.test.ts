import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { segment, signJws } from '../support/sign-jws.ts';
import {
  API,
  certificateLine,
  claimsFor,
  client,
  ISSUER,
  resource,
  startTokenServer,
  type TokenServer,
} from './token-server.ts';

const clientIds = ['owner', 'api', 'stranger', 'former', 'disabled'];
const INACTIVE = '{"active":false}';
const jwtType = 'application/token-introspection+jwt';

let server: TokenServer;
beforeAll(async () => {
  server = await startTokenServer(clientIds, [{ name: 'api', introspection: ['api'] }]);
});
afterAll(() => server?.close());
beforeEach(() => {
  for (const id of clientIds) server.clients.set(id, client(id, server.certificateOf(id)));
  server.resources.set('api', resource({ introspection: ['api'] }));
  Object.assign(server.replaced, { registry: {}, keyring: {}, now: undefined, check: undefined });
  server.events.splice(0);
});

const introspect = (caller: string, token: string, lines: readonly string[] = []) =>
  server.post('/introspect', caller, { token }, lines);

const fieldsOf = ({ headers }: HttpResponse) =>
  ['content-type', 'cache-control', 'pragma'].map((name) => headers.get(name));

describe('an active token', () => {
  test('is described to its own client by all of its claims', async () => {
    const more = { aud: [API, 'https://other.example'], scope: 'read write', tenant: { id: 7, tags: ['a', null] } };
    const claims = claimsFor('owner', more);
    const response = await introspect('owner', server.sign(claims));
    expect(response.status).toBe(200);
    expect(fieldsOf(response)).toEqual(['application/json', 'no-store', 'no-cache']);
    expect(response.json()).toEqual({ ...claims, active: true, token_type: 'Bearer' });
    expect(server.events).toEqual([
      expect.objectContaining({
        event: 'token_introspected',
        client_id: 'owner',
        active: true,
        jti: 'an-id',
        kid: server.keyId,
        expires_at: new Date(Number(claims.exp) * 1000).toISOString(),
      }),
    ]);
    expect(server.events[0]).not.toHaveProperty('token_client_id');
    expect(server.events[0]).not.toHaveProperty('reason');
  });

  test('is described to a client that the resource lists', async () => {
    const response = await introspect('api', server.sign(claimsFor('owner')));
    expect(response.json()).toMatchObject({ active: true, client_id: 'owner', sub: 'owner', scope: 'read' });
    expect(server.events).toMatchObject([{ client_id: 'api', token_client_id: 'owner', active: true }]);
  });

  test('of several resources is described to a client that one of them lists', async () => {
    server.resources.set(
      'twin',
      resource({ name: 'twin', resource: 'https://twin.example', introspection: ['stranger'] }),
    );
    const token = server.sign(claimsFor('owner', { aud: ['https://none.example', API, 'https://twin.example'] }));
    for (const caller of ['api', 'stranger']) expect((await introspect(caller, token)).json().active).toBe(true);
    server.resources.delete('twin');
    expect((await introspect('stranger', token)).body).toBe(INACTIVE);
  });

  test('of several resources is described even if the record of another one is invalid', async () => {
    const error = { description: 'x', reason: 'the value of countersign:resource:x is not a resource record' };
    server.replaced.registry.findResourcesByAudience = async (audience) => {
      if (audience === API) return [resource({ introspection: ['api'] })];
      throw new OAuthError('resource_record_invalid', error);
    };
    const token = server.sign(claimsFor('owner', { aud: ['https://invalid.example', API] }));
    expect((await introspect('api', token)).json().active).toBe(true);
  });

  test.each([
    ['a string', 'read write', 'read write'],
    ['a list', ['read', 'write'], 'read write'],
    ['a list of one', ['read'], 'read'],
  ])('has a scope that is a string if it is %s in the token', async (_, scope, expected) => {
    expect((await introspect('owner', server.sign(claimsFor('owner', { scope })))).json().scope).toBe(expected);
  });

  test('without a scope has none in the response', async () => {
    const { scope, ...claims } = claimsFor('owner');
    expect(scope).toBeDefined();
    expect((await introspect('owner', server.sign(claims))).json()).not.toHaveProperty('scope');
  });

  test('that is bound to no certificate has no cnf, and is active', async () => {
    const { cnf, ...claims } = claimsFor('owner');
    expect(cnf).toBeDefined();
    const response = (await introspect('owner', server.sign(claims))).json();
    expect(response).toMatchObject({ active: true, jti: 'an-id' });
    expect(response).not.toHaveProperty('cnf');
  });

  test('that is bound to another certificate than that of the caller is active: the caller compares it', async () => {
    const claims = claimsFor('owner');
    for (const caller of ['owner', 'api']) {
      expect((await introspect(caller, server.sign(claims))).json()).toMatchObject({ active: true, cnf: claims.cnf });
    }
    expect(claims.cnf).not.toEqual({ 'x5t#S256': server.certificateOf('owner').thumbprint });
  });

  test('is active whatever its additional claims contain that are called like members of the response', async () => {
    const token = server.sign(claimsFor('owner', { active: false, token_type: 'x', username: 'root', error: 'x' }));
    const response = (await introspect('owner', token)).json();
    expect(response).toMatchObject({ active: true, token_type: 'Bearer', username: 'root', error: 'x' });
  });

  test.each(['access_token', 'refresh_token', 'urn:example:unknown', '', 'x'.repeat(2_000), 'é'])(
    'is found with the token_type_hint "%s"',
    async (token_type_hint) => {
      const form = { token: server.sign(claimsFor('owner')), token_type_hint };
      expect((await server.post('/introspect', 'owner', form)).json()).toMatchObject({ active: true });
    },
  );

  test('that the keyring no longer has is inactive, although it was verified before', async () => {
    const token = server.sign(claimsFor('owner'));
    expect((await introspect('owner', token)).json()).toMatchObject({ active: true });
    server.replaced.keyring = { find: () => undefined };
    expect((await introspect('owner', token)).body).toBe(INACTIVE);
    expect(server.events.at(-1)?.reason).toMatch(/^the token: no key of this server has the kid /);
  });
});

/** Each token, who asks, what is different then, and the reason. */
type Inactive = [title: string, token: () => string, reason: RegExp, caller?: string, change?: () => void];

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const past = Math.floor(Date.now() / 1000) - 7_200;

const inactive: Inactive[] = [
  ['not a JWT', () => 'opaque', /^the token: is not a signed JWT/],
  ['whitespace', () => ' ', /^the token: is not a signed JWT/],
  ['three empty segments', () => '..', /^the token: the signature is not base64url/],
  ['longer than 16 KiB', () => `${'x'.repeat(17_000)}.x.x`, /^the token: is \d+ characters long/],
  ['as long as a request may be', () => 'x'.repeat(60_000), /^the token: is 60000 characters long/],
  ['truncated', () => server.sign(claimsFor('owner')).slice(0, -2), /^the token: the signature is not/],
  ['padded', () => `${server.sign(claimsFor('owner'))}=`, /^the token: the signature is not base64url/],
  ['unsigned', () => `${segment({ alg: 'none', typ: 'at+jwt' })}.${segment(claimsFor('owner'))}.`, /^the token: /],
  [
    'signed by another key under our kid',
    () => signJws({ alg: 'ES256', typ: 'at+jwt', kid: server.keyId }, claimsFor('owner'), other.privateKey),
    /^the token: the signature is not one of the key that its kid names$/,
  ],
  [
    'signed by another key under its own kid',
    () => signJws({ alg: 'ES256', typ: 'at+jwt', kid: 'x' }, claimsFor('owner'), other.privateKey),
    /^the token: no key of this server has the kid "x"$/,
  ],
  [
    'with the key in its header',
    () => {
      const jwk = createPublicKey(other.privateKey).export({ format: 'jwk' });
      return signJws({ alg: 'ES256', typ: 'at+jwt', kid: 'x', jwk }, claimsFor('owner'), other.privateKey);
    },
    /^the token: the header has the parameter "jwk"$/,
  ],
  [
    'an ID token by its typ',
    () => server.sign(claimsFor('owner'), { typ: 'JWT' }),
    /^the token: is not an access token: its typ is "JWT"/,
  ],
  [
    'an introspection response',
    () => server.sign(claimsFor('owner'), { typ: 'token-introspection+jwt' }),
    /^the token: is not an access token: its typ is "token-introspection\+jwt"/,
  ],
  [
    'of another issuer',
    () => server.sign(claimsFor('owner', { iss: 'https://other.example' })),
    /^the token: its iss is "https:\/\/other\.example"/,
  ],
  ['without a jti', () => server.sign(claimsFor('owner', { jti: undefined })), /^the token: has no jti$/],
  [
    'expired',
    () => server.sign(claimsFor('owner', { iat: past, nbf: past, exp: past + 60 })),
    /^the token: expired at \d{4}-/,
  ],
  [
    'expired this second',
    () => server.sign(claimsFor('owner', { iat: past, nbf: past, exp: Math.floor(Date.now() / 1000) })),
    /^the token: expired at \d{4}-/,
  ],
  [
    'expired since it was introspected',
    () => server.sign(claimsFor('owner')),
    /^the token: expired at \d{4}-/,
    'owner',
    () => {
      server.replaced.now = Date.now() + 3_600_000;
    },
  ],
  [
    'not valid yet',
    () => server.sign(claimsFor('owner', { nbf: past + 14_400 })),
    /^the token: is not valid before \d{4}-/,
  ],
  [
    'revoked',
    () => server.sign(claimsFor('owner')),
    /^the token: was revoked$/,
    'api',
    () => {
      server.replaced.check = () => 'was revoked';
    },
  ],
  [
    'revoked, which only Redis knows',
    () => server.sign(claimsFor('owner')),
    /^the token: was revoked$/,
    'owner',
    () => {
      server.replaced.check = async () => 'was revoked';
    },
  ],
  [
    "another client's, for a caller that no resource lists",
    () => server.sign(claimsFor('owner')),
    /^the token: no resource of its aud lists "stranger" for introspection$/,
    'stranger',
  ],
  [
    "another client's, for a caller that another resource lists",
    () => server.sign(claimsFor('owner', { aud: 'https://elsewhere.example' })),
    /^the token: no resource of its aud lists "api"/,
    'api',
  ],
  [
    "another client's, after the resource was removed",
    () => server.sign(claimsFor('owner')),
    /^the token: no resource of its aud lists "api"/,
    'api',
    () => server.resources.delete('api'),
  ],
  [
    "another client's, while the record of the resource is invalid",
    () => server.sign(claimsFor('owner')),
    /^the token: no resource of its aud lists "api" for introspection; the value of countersign:resource:api is not/,
    'api',
    () => {
      const error = { description: 'x', reason: 'the value of countersign:resource:api is not a resource record' };
      server.replaced.registry.findResourcesByAudience = () =>
        Promise.reject(new OAuthError('resource_record_invalid', error));
    },
  ],
  [
    'of a removed client',
    () => server.sign(claimsFor('former')),
    /^the token: its client is not registered any more$/,
    'api',
    () => server.clients.delete('former'),
  ],
  [
    'of a client that never existed',
    () => server.sign(claimsFor('nobody')),
    /^the token: its client is not registered any more$/,
    'api',
  ],
  [
    'of a disabled client',
    () => server.sign(claimsFor('disabled')),
    /^the token: its client is disabled$/,
    'api',
    () => server.clients.set('disabled', client('disabled', server.certificateOf('disabled'), { enabled: false })),
  ],
  [
    'of a client whose record is invalid',
    () => server.sign(claimsFor('former')),
    /^the token: the value of countersign:client:former is not/,
    'api',
    () => {
      const error = { description: 'x', reason: 'the value of countersign:client:former is not a client record' };
      server.replaced.registry.find = async (id) => {
        if (id === 'former') throw new OAuthError('client_record_invalid', error);
        return server.clients.get(id);
      };
    },
  ],
];

describe('inactive, with the same response byte by byte, is a token', () => {
  test.for(inactive)('%s', async ([, mint, reason, caller = 'owner', change]) => {
    const reference = await introspect('owner', 'x');
    const token = mint();
    if (caller !== 'stranger' && change) expect((await introspect(caller, token)).status).toBe(200);
    change?.();
    server.events.splice(0);
    const response = await introspect(caller, token);
    expect([response.status, response.body]).toEqual([200, INACTIVE]);
    expect(withoutDate(response)).toEqual(withoutDate(reference));
    expect(server.events).toMatchObject([
      { event: 'token_introspected', active: false, client_id: caller, reason: expect.stringMatching(reason) },
    ]);
    const log = JSON.stringify(server.events);
    for (const part of token.split('.').filter((each) => each.length > 40)) expect(log).not.toContain(part);
  });

  test.for(inactive)('%s, also as a signed response', async ([, mint, , caller = 'owner', change]) => {
    change?.();
    const response = await introspect(caller, mint(), [`Accept: ${jwtType}`]);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, jwtType]);
    expect(decodeJwt(response.body)).toEqual({
      iss: ISSUER,
      aud: caller,
      iat: expect.any(Number),
      token_introspection: { active: false },
    });
  });

  test('expired, whose audit event identifies it', async () => {
    const claims = claimsFor('former', { iat: past, nbf: past, exp: past + 60 });
    await introspect('owner', server.sign(claims));
    expect(server.events).toMatchObject([{ active: false, jti: 'an-id', token_client_id: 'former' }]);
  });
});

function withoutDate({ status, headerLines }: HttpResponse) {
  return { status, headerLines: headerLines.filter((line) => !/^date:/i.test(line)) };
}

test('the same records are looked up whether or not the caller may introspect the token, or its client is enabled', async () => {
  const lookups: string[] = [];
  server.replaced.registry = {
    find: async (clientId) => {
      lookups.push(`client ${clientId}`);
      return server.clients.get(clientId);
    },
    findResourcesByAudience: async (audience) => {
      lookups.push(`audience ${audience}`);
      return [...server.resources.values()].filter((each) => each.audience === audience);
    },
  };
  const disabled = client('disabled', server.certificateOf('disabled'), { enabled: false });
  server.clients.set('disabled', disabled);
  for (const [caller, owner, active] of [
    ['api', 'owner', true],
    ['stranger', 'owner', false],
    ['api', 'disabled', false],
    ['stranger', 'disabled', false],
  ] as const) {
    lookups.splice(0);
    expect((await introspect(caller, server.sign(claimsFor(owner)))).json().active).toBe(active);
    expect(lookups).toEqual([`client ${caller}`, `client ${owner}`, `audience ${API}`]);
  }
});

describe('a JWT response (RFC 9701)', () => {
  const signed = (caller: string, token: string) => introspect(caller, token, [`Accept: ${jwtType}`]);

  async function keyOfServer() {
    const { keys } = (await server.send({ method: 'GET', path: '/jwks' })).json() as { keys: { alg: string }[] };
    return importJWK(keys[0] ?? {}, 'ES256');
  }

  test('is signed for the caller, and has the claims of the token in token_introspection alone', async () => {
    const claims = claimsFor('owner', { aud: [API] });
    const response = await signed('api', server.sign(claims));
    expect(fieldsOf(response)).toEqual([jwtType, 'no-store', 'no-cache']);
    const options = { typ: 'token-introspection+jwt', issuer: ISSUER, audience: 'api', algorithms: ['ES256'] };
    const { payload, protectedHeader } = await jwtVerify(response.body, await keyOfServer(), options);
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'token-introspection+jwt', kid: server.keyId });
    expect(payload).toEqual({
      iss: ISSUER,
      aud: 'api',
      iat: expect.any(Number),
      token_introspection: { ...claims, active: true, token_type: 'Bearer' },
    });
    expect(Math.abs(Number(payload.iat) - Date.now() / 1000)).toBeLessThan(60);
  });

  // The members of the example in RFC 9701 §5, as far as an access token of this server has them.
  test('has the members of the example of the RFC', async () => {
    const response = await signed('owner', server.sign(claimsFor('owner', { scope: 'read write dolphin' })));
    expect(decodeProtectedHeader(response.body)).toMatchObject({ typ: 'token-introspection+jwt' });
    const { token_introspection: introspection, ...top } = decodeJwt(response.body);
    expect(Object.keys(top).sort()).toEqual(['aud', 'iat', 'iss']);
    expect(Object.keys(Object(introspection))).toEqual(
      expect.arrayContaining(['active', 'iss', 'aud', 'iat', 'exp', 'client_id', 'scope', 'sub', 'jti']),
    );
  });

  test('is not active as a token, for anyone', async () => {
    const response = await signed('owner', server.sign(claimsFor('owner')));
    for (const caller of ['owner', 'api']) {
      expect((await introspect(caller, response.body)).body).toBe(INACTIVE);
      expect(server.events.at(-1)?.reason).toMatch(/its typ is "token-introspection\+jwt", and not at\+jwt$/);
    }
  });

  test('is 503 while no key can sign, and a JSON response is not', async () => {
    const token = server.sign(claimsFor('owner'));
    const error = { description: 'x', reason: 'no key of the keyring signs', headers: { 'retry-after': '5' } };
    server.replaced.keyring.signingKey = () => {
      throw new OAuthError('redis_unavailable', error);
    };
    const response = await signed('owner', token);
    expect([response.status, response.headers.get('retry-after'), response.json().error]).toEqual([
      503,
      '5',
      'temporarily_unavailable',
    ]);
    expect((await introspect('owner', token)).status).toBe(200);
  });

  test.each([
    [[], 'application/json'],
    [['Accept: */*'], 'application/json'],
    [['Accept: text/html'], 'application/json'],
    [[`Accept: ${jwtType};q=0.5, application/json`], 'application/json'],
    [[`Accept: ${jwtType}, application/json;q=0.5`], jwtType],
    [['Accept: application/json;q=0.5', `Accept: ${jwtType}`], jwtType],
    [[`Accept: ${jwtType.toUpperCase()}`], jwtType],
  ])('is chosen by the Accept field: %j gets %s', async (lines, expected) => {
    const response = await introspect('owner', server.sign(claimsFor('owner')), lines);
    expect(response.headers.get('content-type')).toBe(expected);
  });

  test('is not the form of an error', async () => {
    const response = await server.post('/introspect', 'owner', {}, [`Accept: ${jwtType}`]);
    expect([response.status, response.headers.get('content-type')]).toEqual([400, 'application/json']);
  });
});

describe('while a record cannot be looked up, the answer is 503 and not a guess:', () => {
  const unavailable = new OAuthError('redis_unavailable', {
    description: 'The server cannot answer at the moment; try again.',
    reason: 'Redis is unreachable',
    headers: { 'retry-after': '1' },
  });
  const isUnavailable = async (caller: string, token: string) => {
    const response = await introspect(caller, token);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(server.events).toMatchObject([
      { event: 'introspection_rejected', error: 'temporarily_unavailable', reason: 'Redis is unreachable' },
    ]);
    expect(server.events[0]).not.toHaveProperty('active');
  };

  test('that of the client of the token', async () => {
    server.replaced.registry.find = async (id) => {
      if (id === 'owner') throw unavailable;
      return server.clients.get(id);
    };
    await isUnavailable('api', server.sign(claimsFor('owner')));
  });

  test('those of the resources', async () => {
    server.replaced.registry.findResourcesByAudience = () => Promise.reject(unavailable);
    await isUnavailable('api', server.sign(claimsFor('owner')));
  });

  test('whether the token is revoked', async () => {
    server.replaced.check = () => {
      throw unavailable;
    };
    for (const caller of ['owner', 'api', 'stranger']) {
      server.events.splice(0);
      await isUnavailable(caller, server.sign(claimsFor('owner')));
    }
  });

  test('but nothing is looked up for what is not a token of this server', async () => {
    server.replaced.registry.findResourcesByAudience = () => Promise.reject(unavailable);
    expect((await introspect('api', 'x')).body).toBe(INACTIVE);
  });
});

describe('rejected is', () => {
  const form = 'Content-Type: application/x-www-form-urlencoded';
  const own = () => certificateLine(server.certificateOf('owner'));

  test.each<[title: string, body: string, status: number, error: string, reason: RegExp]>([
    ['a request without a token', 'client_id=owner', 400, 'invalid_request', /has no token/],
    ['an empty token', 'client_id=owner&token=', 400, 'invalid_request', /has no token/],
    ['a repeated token', 'client_id=owner&token=a&token=a', 400, 'invalid_request', /repeated/],
    [
      'a repeated hint',
      'client_id=owner&token=a&token_type_hint=b&token_type_hint=b',
      400,
      'invalid_request',
      /repeated/,
    ],
    ['a malformed percent-encoding', 'client_id=owner&token=%zz', 400, 'invalid_request', /percent-encoding/],
    [
      'a secret besides the certificate',
      'client_id=owner&token=a&client_secret=b',
      400,
      'invalid_request',
      /client_secret_post/,
    ],
    ['a request without a client', 'token=a', 401, 'invalid_client', /has no client_id/],
    ['an unknown client', 'client_id=unknown&token=a', 401, 'invalid_client', /^no client is registered/],
    [
      'a certificate of another client',
      'client_id=api&token=a',
      401,
      'invalid_client',
      /is not registered for this client/,
    ],
  ])('%s', async (_, body, status, error, reason) => {
    const response = await server.send({ path: '/introspect', lines: [form, own()], body });
    expect([response.status, response.json().error]).toEqual([status, error]);
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="countersign"' : null);
    expect(fieldsOf(response)).toEqual(['application/json', 'no-store', 'no-cache']);
    expect(server.events).toMatchObject([
      { event: 'introspection_rejected', error, status, reason: expect.stringMatching(reason) },
    ]);
  });

  test.each([
    ['GET', '/introspect?token=a', 405],
    ['POST', '/introspect?token=a', 400],
    ['POST', '/introspect?', 400],
    ['PUT', '/introspect', 405],
  ])('%s %s', async (method, path, status) => {
    const body = 'client_id=owner&token=a';
    const response = await server.send({ method, path, lines: [form, own()], body });
    expect([response.status, response.json().error]).toEqual([status, 'invalid_request']);
    expect(JSON.stringify(server.events)).not.toContain('token=a');
  });

  test('a body of another media type', async () => {
    const lines = ['Content-Type: application/json', own()];
    const response = await server.send({ path: '/introspect', lines, body: '{"token":"a","client_id":"owner"}' });
    expect([response.status, response.json().error]).toEqual([400, 'invalid_request']);
  });

  test('each cause of failed authentication with the same bytes, at each endpoint', async () => {
    server.clients.set('disabled', client('disabled', server.certificateOf('disabled'), { enabled: false }));
    const requests: [body: string, lines: string[]][] = [
      ['client_id=unknown&token=a', []],
      ['client_id=unknown&token=a', [own()]],
      ['client_id=owner&token=a', []],
      ['client_id=api&token=a', [own()]],
      ['client_id=disabled&token=a', [certificateLine(server.certificateOf('disabled'))]],
      ['token=a', [own()]],
      ['client_id=%C3%A9&token=a', [own()]],
    ];
    for (const path of ['/introspect', '/revoke']) {
      const responses = [];
      for (const [body, lines] of requests) {
        responses.push(await server.send({ path, lines: [form, ...lines], body }));
      }
      const [first] = responses;
      expect(first?.status).toBe(401);
      for (const each of responses) {
        expect({ ...withoutDate(each), body: each.body }).toEqual(first && { ...withoutDate(first), body: first.body });
      }
    }
  });
});

test('requests are counted by their outcome', async () => {
  const fresh = await startTokenServer(['owner']);
  const token = fresh.sign(claimsFor('owner'));
  await fresh.post('/introspect', 'owner', { token });
  await fresh.post('/introspect', 'owner', { token });
  await fresh.post('/introspect', 'owner', { token: 'x' });
  await fresh.post('/introspect', 'owner', {});
  await fresh.send({ path: '/introspect', body: { client_id: 'unknown', token } });
  const counts = (await fresh.metrics.render())
    .split('\n')
    .filter((line) => /^countersign_requests_total.* [1-9]/.test(line));
  expect(counts).toEqual([
    'countersign_requests_total{endpoint="introspection",outcome="active",code=""} 2',
    'countersign_requests_total{endpoint="introspection",outcome="inactive",code="token_malformed"} 1',
    'countersign_requests_total{endpoint="introspection",outcome="rejected",code="token_missing"} 1',
    'countersign_requests_total{endpoint="introspection",outcome="rejected",code="client_unknown"} 1',
  ]);
  await fresh.close();
});
