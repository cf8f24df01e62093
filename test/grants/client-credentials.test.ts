import { describe, expect, test } from 'vitest';
import { parseClient } from '../../src/clients/parse-client.ts';
import { authorize } from '../../src/grants/grants.ts';
import { parseForm } from '../../src/oauth/form.ts';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import { defaultPolicy } from '../support/policy.ts';

const record = {
  client_id: 'a',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=a',
  scope: 'read write admin',
};
const client = (fields: object) => {
  const read = parseClient({ ...record, ...fields }, defaultPolicy, 0);
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return read.client;
};
const plain = client({});
const flat = client({ audience: ['https://a', 'https://b'] });
const mapped = client({ audience: { read: 'https://a', write: ['https://a', 'https://b'] } });
const isolated = client({ audience: 'https://a', isolated_audience: ['https://i', 'https://j'] });
const mappedIsolated = client({
  audience: { read: 'https://a' },
  isolated_audience: { read: 'https://i', admin: 'https://i' },
});
const onlyIsolated = client({ isolated_audience: 'https://i' });
const bothSpellings = client({ audience: ['https://a', 'https://a/'] });
const scopeless = client({ scope: '', audience: 'https://a' });
const ask = async (who: typeof plain, form: string) =>
  authorize({ client: who, sub: 'spiffe://a/b', form: parseForm(`grant_type=client_credentials&${form}`), now: 0 });

describe('client_credentials grants', () => {
  test.each([
    ['all registered scopes if none is requested', plain, '', ['read', 'write', 'admin'], []],
    ['the requested scope', plain, 'scope=write', ['write'], []],
    ['scopes in the requested order, without duplicates', plain, 'scope=write+read+write', ['write', 'read'], []],
    ['all registered scopes if the requested scope is empty', plain, 'scope=', ['read', 'write', 'admin'], []],
    ['the registered audience', flat, 'scope=read', ['read'], ['https://a', 'https://b']],
    [
      'the audiences of all registered scopes if none is requested',
      mapped,
      '',
      ['read', 'write', 'admin'],
      ['https://a', 'https://b'],
    ],
    ['the audience of the scope', mapped, 'scope=read', ['read'], ['https://a']],
    [
      'the audiences of several scopes, without duplicates',
      mapped,
      'scope=read+write',
      ['read', 'write'],
      ['https://a', 'https://b'],
    ],
    ['one resource', flat, 'resource=https://b', ['read', 'write', 'admin'], ['https://b']],
    [
      'two resources',
      flat,
      'resource=https://b&resource=https://a',
      ['read', 'write', 'admin'],
      ['https://b', 'https://a'],
    ],
    [
      'one resource, requested twice',
      flat,
      'resource=https://b&resource=https://b',
      ['read', 'write', 'admin'],
      ['https://b'],
    ],
    ['the scope of the resource if none is requested', mapped, 'resource=https://b', ['write'], ['https://b']],
    ['a scope that belongs to the resource', mapped, 'scope=write&resource=https://b', ['write'], ['https://b']],
    ['no scope at all', scopeless, '', [], ['https://a']],
    ['the scopes between leading, trailing and doubled spaces', plain, 'scope=++read++write+', ['read', 'write'], []],
    ['all registered scopes if only spaces are requested', plain, 'scope=++', ['read', 'write', 'admin'], []],
    [
      'the scope of the resource if only spaces are requested',
      mapped,
      'scope=+&resource=https://b',
      ['write'],
      ['https://b'],
    ],
    ['no isolated audience if none is requested', isolated, '', ['read', 'write', 'admin'], ['https://a']],
    ['no isolated audience for a scope', isolated, 'scope=read', ['read'], ['https://a']],
    ['an isolated audience alone', isolated, 'resource=https://i', ['read', 'write', 'admin'], ['https://i']],
    ['no isolated audience of a scope', mappedIsolated, 'scope=read+admin', ['read', 'admin'], ['https://a']],
    ['an isolated audience for its scopes', mappedIsolated, 'resource=https://i', ['read', 'admin'], ['https://i']],
    [
      'an isolated audience for one of its scopes',
      mappedIsolated,
      'scope=admin&resource=https://i',
      ['admin'],
      ['https://i'],
    ],
    ['no audience if all are isolated', onlyIsolated, '', ['read', 'write', 'admin'], []],
    [
      'the registered spelling of the resource',
      flat,
      'resource=HTTPS://B:443/',
      ['read', 'write', 'admin'],
      ['https://b'],
    ],
    [
      'one resource, in two spellings',
      flat,
      'resource=https://b&resource=https://b/',
      ['read', 'write', 'admin'],
      ['https://b'],
    ],
    [
      'an isolated audience in two spellings',
      isolated,
      'resource=https://i/&resource=https://i',
      ['read', 'write', 'admin'],
      ['https://i'],
    ],
    [
      'the one of two equivalent audiences that is spelled',
      bothSpellings,
      'resource=https://a/',
      ['read', 'write', 'admin'],
      ['https://a/'],
    ],
  ])('%s', async (_, who, form, scope, audience) => {
    expect(await ask(who, form)).toEqual({ sub: 'spiffe://a/b', scope, audience, lifetimeSeconds: 3600 });
  });

  test.each([
    ['without an audience', {}],
    ['with a repeated audience', { audience: ['https://b', 'https://a', 'https://b'] }],
    [
      'with audiences of scopes in another order',
      { audience: { write: ['https://b', 'https://a'], read: 'https://a' } },
    ],
  ])('the same for no scope and for all registered scopes: a client %s', async (_, fields) => {
    const who = client(fields);
    expect(await ask(who, '')).toEqual(await ask(who, 'scope=read+write+admin'));
  });

  test('grants the registered lifetime', async () => {
    expect((await ask(client({ access_token_lifetime: 60 }), '')).lifetimeSeconds).toBe(60);
  });
});

describe('client_credentials rejects', () => {
  test.each([
    ['a scope that is not registered', plain, 'scope=read+delete', 'invalid_scope'],
    ['a scope in another case', plain, 'scope=Read', 'invalid_scope'],
    ['an unregistered scope after spaces', plain, 'scope=++delete', 'invalid_scope'],
    ['a no-break space between scopes', plain, 'scope=read%C2%A0write', 'invalid_scope'],
    ['a line feed between scopes', plain, 'scope=read%0Awrite', 'invalid_scope'],
    ['a tab alone', plain, 'scope=%09', 'invalid_scope'],
    ['a tab between scopes', plain, 'scope=read%09write', 'invalid_scope'],
    ['any scope for a client without scopes', scopeless, 'scope=read', 'invalid_scope'],
    ['a resource if none is registered', plain, 'resource=https://a', 'invalid_target'],
    ['a resource that is not registered', flat, 'resource=https://c', 'invalid_target'],
    ['a registered and an unregistered resource', flat, 'resource=https://a&resource=https://c', 'invalid_target'],
    ['a resource with a trailing slash after a path', flat, 'resource=https://a/b/', 'invalid_target'],
    ['an isolated and another resource', isolated, 'resource=https://i&resource=https://a', 'invalid_target'],
    ['two isolated resources', isolated, 'resource=https://j&resource=https://i', 'invalid_target'],
    ['a scope that no isolated resource has', mappedIsolated, 'scope=write&resource=https://i', 'invalid_target'],
    ['a resource that is registered, but not a URI', client({ audience: 'api1' }), 'resource=api1', 'invalid_target'],
    ['a relative resource', flat, 'resource=/a', 'invalid_target'],
    ['a resource with a fragment', flat, 'resource=https://a%23x', 'invalid_target'],
    ['the scope of another resource', mapped, 'scope=read&resource=https://b', 'invalid_target'],
  ])('%s', async (_, who, form, code) => {
    const error = await ask(who, form).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OAuthError);
    expect(error).toMatchObject({ error: code });
  });

  test.each([
    ['scope=read', 'invalid_request'],
    ['grant_type=', 'invalid_request'],
    ['grant_type=password', 'unsupported_grant_type'],
    ['grant_type=Client_Credentials', 'unsupported_grant_type'],
    ['grant_type=toString', 'unsupported_grant_type'],
    ['grant_type=__proto__', 'unsupported_grant_type'],
  ])('%s', async (form, code) => {
    const request = { client: plain, sub: 'a', form: parseForm(form), now: 0 };
    expect(() => authorize(request)).toThrow(expect.objectContaining({ error: code }));
  });

  test('authorize rejects a client that is not registered for the grant', async () => {
    await expect(ask(client({ grant_types: [] }), '')).rejects.toThrow(
      expect.objectContaining({ error: 'unauthorized_client' }),
    );
  });
});
