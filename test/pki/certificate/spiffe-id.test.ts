import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spiffeIdViolation, splitSpiffeId } from '../../../src/pki/certificate/spiffe-id.ts';
import { spiffeIds } from '../../support/spiffe-ids.ts';

const trustDomain = (length: number) => `spiffe://${'a'.repeat(length)}/b`;
const ofLength = (length: number) => `spiffe://a/${'b'.repeat(length - 'spiffe://a/'.length)}`;

describe('spiffeIdViolation accepts', () => {
  test.each([
    'spiffe://prod.example/ns/shop/sa/billing',
    'spiffe://a/b',
    'spiffe://192.0.2.7/a',
    'spiffe://trust_domain-1.example/A_b-c.D',
    // SPIFFE-ID §2.1: every name of these characters is valid, even if it is not a DNS name.
    'spiffe://-./a',
    'spiffe://a/...',
    'spiffe://a/.b/c.',
    'spiffe://example.com/9eebccd2-12bf-40a6-b262-65fe0487d453',
    trustDomain(255),
    ofLength(2048),
  ])('%s', (text) => {
    expect(spiffeIdViolation(text)).toBeUndefined();
  });
});

describe('spiffeIdViolation rejects', () => {
  test.each<[string, string, string]>([
    ['', '', 'does not start with spiffe://'],
    ['another scheme', 'https://a/b', 'does not start with'],
    ['one slash', 'spiffe:/a/b', 'does not start with'],
    ['space before the scheme', ' spiffe://a/b', 'does not start with'],
    ['a scheme in capitals', 'SPIFFE://a/b', 'scheme that is not in lower case'],
    ['a trust domain in capitals', 'spiffe://Prod.example/b', 'trust domain that is not in lower case'],
    ['no trust domain', 'spiffe:///b', 'no trust domain'],
    ['a port', 'spiffe://a:443/b', 'port'],
    ['an empty port', 'spiffe://a:/b', 'port'],
    ['an IPv6 address', 'spiffe://[::1]/b', 'a colon'],
    ['user information', 'spiffe://u@a/b', 'user information'],
    ['empty user information', 'spiffe://@a/b', 'user information'],
    ['a space in the trust domain', 'spiffe://a b/c', 'trust domain with characters'],
    ['a letter beyond ASCII in the trust domain', 'spiffe://ä/c', 'trust domain with characters'],
    ['a Kelvin sign in the trust domain', 'spiffe://\u212a/c', 'trust domain with characters'],
    ['a wildcard as trust domain', 'spiffe://*/b', 'wildcard in the trust domain'],
    ['a wildcard in the trust domain', 'spiffe://*.example/b', 'wildcard in the trust domain'],
    ['a trust domain of 256 bytes', trustDomain(256), 'more than 255 bytes'],
    ['2049 bytes', ofLength(2049), 'longer than 2048 bytes'],
    ['a trust domain only', 'spiffe://a', 'has no path'],
    ['a root path', 'spiffe://a/', 'has no path'],
    ['a trailing slash', 'spiffe://a/b/', 'ends with a slash'],
    ['only slashes', 'spiffe://a//', 'ends with a slash'],
    ['an empty segment', 'spiffe://a/b//c', 'empty path segment'],
    ['an empty first segment', 'spiffe://a//b', 'empty path segment'],
    ['a dot segment', 'spiffe://a/./b', 'path segment "."'],
    ['two dots', 'spiffe://a/b/..', 'path segment ".."'],
    ['percent-encoding', 'spiffe://a/b%2Fc', 'percent-encoding'],
    ['a percent-encoded trust domain', 'spiffe://%61/b', 'percent-encoding'],
    ['a query', 'spiffe://a/b?c', 'query or a fragment'],
    ['a query after the trust domain', 'spiffe://a?b/c', 'query or a fragment'],
    ['an empty fragment', 'spiffe://a/b#', 'query or a fragment'],
    ['a NUL', 'spiffe://a/b\0', 'path segment with characters'],
    ['a line feed at the end', 'spiffe://a/b\n', 'path segment with characters'],
    ['a letter beyond ASCII', 'spiffe://a/bé', 'path segment with characters'],
    ['a fullwidth slash', 'spiffe://a/b\uff0fc', 'path segment with characters'],
    ['a backslash', 'spiffe://a/b\\c', 'path segment with characters'],
    ['a semicolon', 'spiffe://a/b;c', 'path segment with characters'],
    ['a wildcard', 'spiffe://a/*', 'wildcard'],
  ])('%s', (_, text, violation) => {
    expect(spiffeIdViolation(text)).toContain(violation);
  });
});

test('spiffeIdViolation accepts every ID of the grammar, which splitSpiffeId takes apart', () => {
  fc.assert(
    fc.property(spiffeIds, (parts) => {
      const text = `spiffe://${parts.trustDomain}/${parts.segments.join('/')}`;
      expect(spiffeIdViolation(text)).toBeUndefined();
      expect(splitSpiffeId(text)).toEqual(parts);
    }),
  );
});

test('spiffeIdViolation rejects every ID in which a character is replaced by one that no ID has', () => {
  const foreign = fc.oneof(
    fc.constantFrom(...'%?#@:*+,;=!$&\'()[] ~"<>\\^`{|}\0\x7f'),
    fc.string({ unit: 'binary', minLength: 1 }).filter((text) => /^[^\0-\x7f]/.test(text)),
  );
  fc.assert(
    fc.property(spiffeIds, fc.nat(), foreign, ({ trustDomain, segments }, at, character) => {
      const text = `${trustDomain}/${segments.join('/')}`;
      const index = at % text.length;
      const replaced = `spiffe://${text.slice(0, index)}${character}${text.slice(index + 1)}`;
      expect(spiffeIdViolation(replaced)).toBeDefined();
    }),
  );
});
