import { expect, test } from 'vitest';
import {
  type AlternativeNameKind,
  normalizeAlternativeName,
} from '../../../src/pki/certificate/subject-alternative-names.ts';

const same: [AlternativeNameKind, string, string][] = [
  ['dns', 'Client.EXAMPLE', 'client.example'],
  ['uri', 'SPIFFE://Example.ORG/ns/A', 'spiffe://example.org/ns/A'],
  ['uri', 'HTTPS://Example.org:8443/A?B#C', 'https://example.org:8443/A?B#C'],
  ['uri', 'URN:uuid:F81D4FAE', 'urn:uuid:F81D4FAE'],
  ['uri', 'https://User@EXAMPLE.org', 'https://User@example.org'],
  ['ip', '2001:DB8:0::7', '2001:db8::7'],
  ['email', 'Robot@Example.ORG', 'Robot@example.org'],
];

test.each(same)('%s names %s and %s are the same', (kind, one, other) => {
  expect(normalizeAlternativeName(kind, one)).toBe(normalizeAlternativeName(kind, other));
});

const different: [AlternativeNameKind, string, string][] = [
  ['dns', 'client.example', 'client.example.net'],
  ['uri', 'spiffe://example/ns/A', 'spiffe://example/ns/a'],
  ['uri', 'spiffe://example/a/../b', 'spiffe://example/b'],
  ['uri', 'spiffe://example/%61', 'spiffe://example/a'],
  ['uri', 'https://example/?HOST', 'https://example/?host'],
  ['uri', 'https://A@example', 'https://a@example'],
  ['uri', 'urn:A//B', 'urn:A//b'],
  ['uri', 'https:/A', 'https:/a'],
  ['ip', '192.0.2.7', '::ffff:192.0.2.7'],
  ['email', 'Robot@example.org', 'robot@example.org'],
];

test.each(different)('%s names %s and %s differ', (kind, one, other) => {
  expect(normalizeAlternativeName(kind, one)).not.toBe(normalizeAlternativeName(kind, other));
});

test('a URI of the largest size is normalized in linear time', () => {
  const uri = `https://${'@'.repeat(2_000)}EXAMPLE`;
  expect(normalizeAlternativeName('uri', uri)).toBe(uri.replace('EXAMPLE', 'example'));
});
