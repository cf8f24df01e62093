import { describe, expect, test } from 'vitest';
import { parseClient } from '../../src/clients/parse-client.ts';
import { defaultPolicy } from '../support/policy.ts';

const record = {
  client_id: 'a',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=a',
  scope: 'read write',
};
const parse = (fields: object) => parseClient({ ...record, ...fields }, defaultPolicy, 0);
const message = (text: string) => expect.stringContaining(text);

describe('parseClient rejects an isolated audience that', () => {
  test.each<[string, object, string, string]>([
    [
      'is in audience as well',
      { audience: 'https://a', isolated_audience: 'https://a' },
      'isolated_audience',
      'remove it',
    ],
    [
      'is in audience in another spelling',
      { audience: ['https://a'], isolated_audience: ['https://i', 'HTTPS://A:443/'] },
      'isolated_audience',
      '"HTTPS://A:443/", which is in audience as well as "https://a"',
    ],
    [
      'is in audience for another scope',
      { audience: { read: 'https://a' }, isolated_audience: { write: 'https://a' } },
      'isolated_audience',
      'remove it',
    ],
    ['is text in audience', { audience: 'api1', isolated_audience: 'api1' }, 'isolated_audience', 'remove it'],
    [
      'belongs to a scope that the client does not have',
      { isolated_audience: { raed: 'https://i' } },
      'isolated_audience.raed',
      'did you mean "read"',
    ],
    ['is empty', { isolated_audience: [] }, 'isolated_audience', 'must not be empty'],
    ['has 1025 characters', { isolated_audience: `https://${'a'.repeat(1017)}` }, 'isolated_audience', ''],
  ])('%s', (_, fields, field, text) => {
    expect(parse(fields)).toMatchObject({ ok: false, errors: [{ field, message: message(text) }] });
  });
});

describe('parseClient warns about', () => {
  test.each<[string, object, string, string]>([
    ['equivalent audiences', { audience: ['https://a', 'https://a/'] }, 'audience', 'the same URI'],
    [
      'equivalent isolated audiences',
      { isolated_audience: { read: 'https://i', write: 'https://I' } },
      'isolated_audience',
      '"https://i" and "https://I"',
    ],
    [
      'an isolated audience that no request can name',
      { isolated_audience: 'api1' },
      'isolated_audience',
      'no token has it',
    ],
    [
      'an isolated audience with a fragment',
      { isolated_audience: 'https://i#a' },
      'isolated_audience',
      'no token has it',
    ],
  ])('%s', (_, fields, field, text) => {
    expect(parse(fields)).toMatchObject({ ok: true, warnings: [{ field, message: message(text) }] });
  });
});

test('parseClient accepts repeated and similar audiences without a warning', () => {
  const fields = {
    audience: ['https://a', 'https://a', 'https://a/b', 'api1'],
    isolated_audience: { read: 'https://i' },
  };
  expect(parse(fields)).toMatchObject({ ok: true, warnings: [] });
});
