import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalUri } from '../../src/oauth/canonical-uri.ts';

describe('canonicalUri gives the same for', () => {
  test.each([
    ['an empty path and /', 'https://api.example/', 'https://api.example'],
    ['scheme and host in another case', 'HTTPS://API.Example/a', 'https://api.example/a'],
    ['the default port of https', 'https://api.example:443', 'https://api.example'],
    ['the default port of http', 'http://api.example:80/a', 'http://api.example/a'],
    ['an empty port', 'https://api.example:/', 'https://api.example'],
    ['encoded unreserved characters', 'https://api.example/%7Eusers%2d%41', 'https://api.example/~users-A'],
    ['encoded unreserved characters of the host', 'https://%41pi.example', 'https://api.example'],
    ['an encoding in lower case', 'https://api.example/%c3%a9', 'https://api.example/%C3%A9'],
    ['dot segments', 'https://api.example/a/./b/../c', 'https://api.example/a/c'],
    ['encoded dot segments', 'https://api.example/a/%2e%2E/c', 'https://api.example/c'],
    ['a dot segment at the end', 'https://api.example/a/b/..', 'https://api.example/a/'],
    ['dot segments above the root', 'https://api.example/../../a', 'https://api.example/a'],
    ['nothing but dot segments', 'https://api.example/a/..', 'https://api.example'],
    ['an empty path before a query', 'https://api.example/?a', 'https://api.example?a'],
    ['an IPv6 address in another case', 'https://[2001:DB8::1]:443/', 'https://[2001:db8::1]'],
    ['the scheme of a URN', 'URN:example:API', 'urn:example:API'],
    ['another scheme with an authority', 'API://Orders/', 'api://orders'],
  ])('%s', (_, one, other) => {
    expect(canonicalUri(one)).toBe(canonicalUri(other));
  });
});

describe('canonicalUri distinguishes', () => {
  test.each([
    ['paths in another case', 'https://api.example/a', 'https://api.example/A'],
    ['a slash after a path', 'https://api.example/a', 'https://api.example/a/'],
    ['two slashes', 'https://api.example//', 'https://api.example/'],
    ['an encoded slash', 'https://api.example/a%2Fb', 'https://api.example/a/b'],
    ['an encoded slash for the path', 'https://api.example%2F', 'https://api.example/'],
    ['another port', 'https://api.example:8443', 'https://api.example'],
    ['the default port of another scheme', 'https://api.example:80', 'https://api.example'],
    ['a port with a zero', 'https://api.example:0443', 'https://api.example'],
    ['schemes', 'http://api.example', 'https://api.example'],
    ['a dot after the host', 'https://api.example.', 'https://api.example'],
    ['a host before a user name', 'https://api.example@evil.example', 'https://api.example'],
    ['a user name', 'https://user@api.example', 'https://api.example'],
    ['user names in another case', 'https://User@api.example', 'https://user@api.example'],
    ['two at signs', 'https://a@b@api.example', 'https://a@api.example'],
    ['a backslash', 'https://api.example\\', 'https://api.example/'],
    ['a backslash as a separator', 'https:\\\\api.example', 'https://api.example'],
    ['one slash', 'https:/api.example', 'https://api.example'],
    ['three slashes', 'https:///api.example', 'https://api.example'],
    ['an empty query', 'https://api.example?', 'https://api.example'],
    ['a malformed encoding', 'https://api.example/%7', 'https://api.example/~'],
    ['a doubly encoded character', 'https://api.example/%257E', 'https://api.example/~'],
    ['an IPv6 address in another form', 'https://[0:0:0:0:0:0:0:1]', 'https://[::1]'],
    ['an internationalized name and its ASCII form', 'https://b%C3%BCcher.example', 'https://xn--bcher-kva.example'],
    ['the name of a URN in another case', 'urn:example:API', 'urn:example:api'],
    ['a URN with dot segments', 'urn:a/../b', 'urn:b'],
    ['text that is not a URI', 'API1', 'api1'],
  ])('%s', (_, one, other) => {
    expect(canonicalUri(one)).not.toBe(canonicalUri(other));
  });
});

const part = fc.string({ unit: fc.constantFrom(...'aA.:/@?%2eEfF7~[]\\-'), maxLength: 24 });

test('canonicalUri changes nothing in what it returns', () => {
  fc.assert(
    fc.property(fc.constantFrom('https://', 'HTTP://', 'x:', ''), part, (start, rest) => {
      const canonical = canonicalUri(start + rest);
      expect(canonicalUri(canonical)).toBe(canonical);
    }),
  );
});

test('canonicalUri keeps what WHATWG URL reads in an https URL', () => {
  fc.assert(
    fc.property(part, (rest) => {
      const url = `https://a.example/${rest}`;
      expect(decodeUnreserved(canonicalUri(url))).toBe(decodeUnreserved(url));
    }),
  );
});

/** WHATWG URL resolves dot segments and keeps percent-encodings. */
function decodeUnreserved(url: string): string {
  return new URL(url).href.replace(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
}

test.each([
  ['dot segments', `https://a/${'../'.repeat(60_000)}`],
  ['percent-encodings', `https://a/${'%2E'.repeat(60_000)}`],
  ['user names', `https://${'a:'.repeat(100_000)}`],
  ['labels before a backslash', `https://${'a.'.repeat(100_000)}\\`],
])('canonicalUri takes linear time for %s', (_, text) => {
  // 200,000 characters, two hundred times as many as a request may have: quadratic time would exceed the timeout.
  expect(canonicalUri(text).length).toBeLessThanOrEqual(text.length);
});
