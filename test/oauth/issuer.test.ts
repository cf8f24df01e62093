import { expect, test } from 'vitest';
import { parseBaseUrl } from '../../src/oauth/issuer.ts';

test.each([
  'https://auth.example',
  'https://auth.example/',
  'https://auth.example:8443',
  'https://auth.example/tenant',
  'https://auth.example/tenant/',
  'https://192.0.2.1',
  'http://localhost:8080',
  'http://127.0.0.1:8080',
])('base URL %s is accepted unchanged', (text) => expect(parseBaseUrl(text)).toBe(text));

test.each([
  ['auth.example', 'not a URL'],
  ['', 'not a URL'],
  ['ftp://auth.example', 'https://'],
  ['http://auth.example', 'https://'],
  ['https://Auth.example', 'https://auth.example'],
  ['https://auth.example:443', 'https://auth.example'],
  ['https://auth.example?x', 'query'],
  ['https://auth.example/?', 'query'],
  ['https://auth.example/#', 'fragment'],
  ['https://auth.example/a/../b', 'https://auth.example/b'],
  ['https://user@auth.example', 'user'],
  ['https://auth.example/ä', 'only letters'],
  ['https://auth.example/caf%C3%A9', 'only letters'],
  ['https://auth.example/:tenant', 'only letters'],
  ['https://auth.example/*', 'only letters'],
  ['https://auth.example//a', 'only letters'],
])('base URL %s is rejected', (text, fix) => expect(() => parseBaseUrl(text)).toThrow(fix));
