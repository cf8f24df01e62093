import { expect, test } from 'vitest';
import { oneOf, parseBoolean } from '../../src/settings/parsers.ts';

const parseTerminator = oneOf(['nginx', 'envoy', 'haproxy', 'ES256']);

test.each([
  ['nginx', 'nginx'],
  ['NGINX', 'nginx'],
  ['es256', 'ES256'],
])('oneOf accepts %s as %s', (text, name) => {
  expect(parseTerminator(text)).toBe(name);
});

test.each([
  ['ngnix', ' (did you mean nginx?)'],
  ['Envoi', ' (did you mean envoy?)'],
  ['traefik', ''],
  ['x'.repeat(100_000), ''],
])('oneOf rejects %.20s with a suggestion if one is close', (text, hint) => {
  expect(() => parseTerminator(text)).toThrow(`"${text}" is not one of: nginx, envoy, haproxy, ES256${hint}`);
});

test.each([
  ['true', true],
  ['True', true],
  ['FALSE', false],
])('parseBoolean accepts %s', (text, value) => {
  expect(parseBoolean(text)).toBe(value);
});

test.each([
  ['yes', 'true'],
  ['On', 'true'],
  ['0', 'false'],
])('parseBoolean rejects %s and suggests %s', (text, suggestion) => {
  expect(() => parseBoolean(text)).toThrow(`did you mean ${suggestion}?`);
});
