import { describe, expect, test } from 'vitest';
import { readPresentedCredentials } from '../../src/authentication/presented-credentials.ts';
import { parseForm } from '../../src/oauth/form.ts';
import { OAuthError } from '../../src/oauth/oauth-error.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const read = (authorization: string | undefined, form: string) =>
  readPresentedCredentials(authorization, parseForm(form));

describe('client_id is read', () => {
  test.each<[string, string | undefined, string, string, readonly string[]]>([
    ['in the form', undefined, 'client_id=a', 'a', []],
    ['in Basic with an empty password', basic('a:'), '', 'a', []],
    ['in both, alike', basic('a:'), 'client_id=a', 'a', []],
    ['in Basic, form-encoded', basic('a%3Ab+c:'), '', 'a:b c', []],
    ['in basic, lower case', basic('a:').replace('Basic', 'basic'), '', 'a', []],
    ['with an empty secret in the form', undefined, 'client_id=a&client_secret=', 'a', []],
    ['with a secret in Basic', basic('a:s'), '', 'a', ['client_secret_basic']],
    ['with a secret in the form', undefined, 'client_id=a&client_secret=s', 'a', ['client_secret_post']],
    ['with an assertion', undefined, 'client_id=a&client_assertion=s', 'a', ['client_assertion']],
    [
      'with all of them',
      basic('a:s'),
      'client_secret=s&client_assertion=s',
      'a',
      ['client_secret_basic', 'client_secret_post', 'client_assertion'],
    ],
  ])('%s', (_, authorization, form, clientId, methods) => {
    expect(read(authorization, form)).toEqual({ clientId, methods });
  });
});

describe('reading credentials rejects', () => {
  test.each<[string, string | undefined, string, string]>([
    ['a request without client_id', undefined, '', 'invalid_client'],
    ['an empty client_id', undefined, 'client_id=', 'invalid_client'],
    ['an empty user in Basic', basic(':s'), '', 'invalid_client'],
    ['two clients', basic('a:'), 'client_id=b', 'invalid_request'],
    ['another scheme', 'Negotiate a', 'client_id=a', 'invalid_client'],
    ['Bearer and Basic', `Bearer a, ${basic('a:')}`, 'client_id=a', 'invalid_client'],
    ['no scheme', 'YTo=', 'client_id=a', 'invalid_client'],
    ['Basic with nothing', 'Basic', 'client_id=a', 'invalid_client'],
    ['Basic that is not base64', 'Basic a:b', '', 'invalid_client'],
    ['Basic with base64url', 'Basic __8_Og==', '', 'invalid_client'],
    ['Basic without padding', basic('abc:').replace(/=+$/, ''), '', 'invalid_client'],
    ['Basic without colon', basic('a'), '', 'invalid_client'],
    ['Basic twice', `${basic('a:')} ${basic('b:')}`, '', 'invalid_client'],
    ['Basic with a bad escape', basic('a%:'), '', 'invalid_client'],
    ['a line feed', undefined, 'client_id=a%0Ab', 'invalid_client'],
    ['a NUL in Basic', basic('a%00:'), '', 'invalid_client'],
    ['beyond ASCII', undefined, 'client_id=%C3%A4', 'invalid_client'],
    ['256 characters', undefined, `client_id=${'a'.repeat(256)}`, 'invalid_client'],
  ])('%s', (_, authorization, form, code) => {
    try {
      read(authorization, form);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(OAuthError);
      expect((error as OAuthError).error).toBe(code);
    }
  });
});
