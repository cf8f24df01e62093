import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccessTokenError, parseAccessToken } from '../../src/tokens/access-token.ts';

const thumbprint = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg';
const claims = {
  iss: 'https://auth.example',
  sub: 'billing',
  aud: 'https://api.example',
  client_id: 'billing',
  iat: 1_800_000_000,
  nbf: 1_800_000_000,
  exp: 1_800_000_300,
  jti: '0190a1c2',
  scope: 'read write',
  cnf: { 'x5t#S256': thumbprint },
};
const token = {
  issuer: 'https://auth.example',
  subject: 'billing',
  clientId: 'billing',
  audience: ['https://api.example'],
  scope: ['read', 'write'],
  tokenId: '0190a1c2',
  issuedAt: 1_800_000_000,
  expiresAt: 1_800_000_300,
  notBefore: 1_800_000_000,
  certificateThumbprint: thumbprint,
};
const parse = (changes: object) => parseAccessToken(JSON.stringify({ ...claims, ...changes }));

describe('parsing the claims of an access token accepts', () => {
  test.each<[string, object, object]>([
    ['the claims of an issued token', {}, {}],
    ['an audience that is a list', { aud: ['https://a.example', 'b'] }, { audience: ['https://a.example', 'b'] }],
    ['an audience that is a list of one', { aud: ['https://a.example'] }, { audience: ['https://a.example'] }],
    ['no scope', { scope: undefined }, { scope: [] }],
    ['a scope that is a list', { scope: ['read', 'write'] }, { scope: ['read', 'write'] }],
    ['a scope that is an empty list', { scope: [] }, { scope: [] }],
    ['a scope of one token', { scope: 'read' }, { scope: ['read'] }],
    ['no cnf: anyone who has the token can use it', { cnf: undefined }, { certificateThumbprint: undefined }],
    ['no nbf', { nbf: undefined }, { notBefore: undefined }],
    ['a subject that is a SPIFFE ID', { sub: 'spiffe://prod.example/ns/a' }, { subject: 'spiffe://prod.example/ns/a' }],
    ['a subject of any characters', { sub: ' ä\n' }, { subject: ' ä\n' }],
    ['the last second of the year 9999', { exp: 253_402_300_799 }, { expiresAt: 253_402_300_799 }],
    ['claims of the client of any type', { tenant: { deep: [1, { a: null }] }, __proto: 1 }, {}],
  ])('%s', (_, changes, expected) => {
    expect(parse(changes)).toEqual({ ...token, ...expected });
  });

  test('a number in scientific notation that is an integer', () => {
    const text = JSON.stringify(claims).replace('"exp":1800000300', '"exp":18000003e2');
    expect(parseAccessToken(text).expiresAt).toBe(1_800_000_300);
  });
});

describe('parsing the claims of an access token rejects', () => {
  const texts = ['iss', 'sub', 'client_id', 'jti'];
  const times = ['iat', 'exp'];
  const notTimes = [0.5, -1, '1800000300', null, true, [1_800_000_300], {}, 253_402_300_800, 1e21];
  test.each<[string, object, string]>([
    ...[...texts, ...times, 'aud'].map((name): [string, object, string] => [
      `a token without ${name}`,
      { [name]: undefined },
      `has no ${name}`,
    ]),
    ...texts.flatMap((name) =>
      ['', null, 1, true, ['a'], { a: 'a' }].map((value): [string, object, string] => [
        `${name}: ${JSON.stringify(value)}`,
        { [name]: value },
        `its ${name} is not a non-empty string`,
      ]),
    ),
    ...[...times, 'nbf'].flatMap((name) =>
      notTimes.map((value): [string, object, string] => [
        `${name}: ${JSON.stringify(value)}`,
        { [name]: value },
        `its ${name} (${JSON.stringify(value)}) is not an integer of seconds since the epoch`,
      ]),
    ),
    ...['ä', 'a\nb', 'a'.repeat(256)].map((id): [string, object, string] => [
      `client_id: ${JSON.stringify(id)}`,
      { client_id: id },
      'its client_id is not 1 to 255 printable ASCII characters',
    ]),
    ...['', [], [''], [1], ['a', null], [['a']], {}, 1, null].map((aud): [string, object, string] => [
      `aud: ${JSON.stringify(aud)}`,
      { aud },
      'its aud is neither a non-empty string nor a list of them',
    ]),
    ...['', ' ', 'a  b', ' a', 'a ', 'ä', 'a"', 'a\tb', [''], ['a b'], ['a', 1], [['a']], {}, 1, null, true].map(
      (scope): [string, object, string] => [
        `scope: ${JSON.stringify(scope)}`,
        { scope },
        'its scope is neither a list of scope tokens nor a string of them',
      ],
    ),
    ...[thumbprint, null, 1, [thumbprint], [{ 'x5t#S256': thumbprint }]].map((cnf): [string, object, string] => [
      `cnf: ${JSON.stringify(cnf)}`,
      { cnf },
      'its cnf is not a JSON object',
    ]),
    ...[undefined, null, '', 1, [thumbprint], thumbprint.slice(1), `${thumbprint}A`, `${thumbprint}=`].map(
      (value): [string, object, string] => [
        `cnf with x5t#S256: ${JSON.stringify(value)}`,
        { cnf: { 'x5t#S256': value } },
        'its cnf has no SHA-256 thumbprint of a certificate in x5t#S256',
      ],
    ),
    [
      'another spelling of the same thumbprint',
      { cnf: { 'x5t#S256': `${thumbprint.slice(0, -1)}h` } },
      'its cnf has no SHA-256 thumbprint',
    ],
    [
      'a thumbprint in base64',
      { cnf: { 'x5t#S256': thumbprint.replace('-', '+').replace('_', '/') } },
      'its cnf has no SHA-256 thumbprint',
    ],
    ['a cnf with a key as well', { cnf: { 'x5t#S256': thumbprint, jkt: 'a' } }, 'its cnf has the member "jkt"'],
    ['a cnf with a key alone', { cnf: { jwk: {} } }, 'its cnf has the member "jwk"'],
    ['a cnf with another spelling of its name', { cnf: { 'x5t#s256': thumbprint } }, 'its cnf has the member'],
  ])('%s', (_, changes, reason) => {
    const parsing = () => parse(changes);
    expect(parsing).toThrow(AccessTokenError);
    expect(parsing).toThrow(reason);
  });

  const text = JSON.stringify(claims);
  test.each<[string, string, string]>([
    ['an empty text', '', 'the payload is not valid JSON'],
    ['a text that is cut off', text.slice(0, -1), 'the payload is not valid JSON'],
    ['a byte order mark', `\uFEFF${text}`, 'the payload is not valid JSON'],
    ['text after the object', `${text}{}`, 'the payload is not valid JSON'],
    ['null', 'null', 'the payload is not a JSON object'],
    ['an array', `[${text}]`, 'the payload is not a JSON object'],
    ['a string', '"a"', 'the payload is not a JSON object'],
    ['a duplicate claim', text.replace('{', '{"exp":9999999999,'), 'duplicate key "exp"'],
    ['a duplicate claim in an escaped spelling', text.replace('{', '{"\\u0065xp":9999999999,'), 'duplicate key "exp"'],
    ['a duplicate member of cnf', text.replace('"cnf":{', '"cnf":{"x5t#S256":"a",'), 'duplicate key "x5t#S256"'],
    ['an exp beyond every number', text.replace('1800000300', '1e400'), 'the payload is not valid JSON'],
    ['an exp that would be rounded', text.replace('1800000300', '1800000300.00000000000000001'), 'the payload is not'],
    ['an exp that is too large to be exact', text.replace('1800000300', '9007199254740993'), 'the payload is not'],
    ['claims only inherited from __proto__', `{"__proto__":${text}}`, 'has no iat'],
    ['deep nesting', text.replace('{', `{"a":${'['.repeat(6000)}${']'.repeat(6000)},`), ''],
  ])('%s', (_, payload, reason) => {
    const parsing = () => parseAccessToken(payload);
    if (reason !== '') expect(parsing).toThrow(reason);
    // Whether V8's stack suffices for nested arrays depends on the caller.
    else expect(() => attempt(parsing)).not.toThrow();
  });
});

/** @throws {unknown} anything but an AccessTokenError */
function attempt(parsing: () => unknown): void {
  try {
    parsing();
  } catch (error) {
    if (!(error instanceof AccessTokenError)) throw error;
  }
}

test('no JSON value makes parsing fail in another way, and every accepted one is bound or unbound, and expires', () => {
  const member = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(...Object.values(claims)));
  const payload = fc.record(
    Object.fromEntries(Object.keys(claims).map((name) => [name, fc.oneof(member, fc.constant(claims[name as never]))])),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(payload, fc.jsonValue()), (value) => {
      attempt(() => {
        const parsed = parseAccessToken(JSON.stringify(value));
        expect(Number.isSafeInteger(parsed.expiresAt)).toBe(true);
        const { certificateThumbprint } = parsed;
        if (certificateThumbprint === undefined) expect(value).not.toHaveProperty('cnf');
        else expect(Buffer.from(certificateThumbprint, 'base64url')).toHaveLength(32);
        expect(parsed.audience.length).toBeGreaterThan(0);
      });
    }),
    { numRuns: 1_000 },
  );
});
