import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PatternIndex } from '../../src/clients/pattern-index.ts';
import { matchesPattern, overlapOf, parseSpiffePattern, patternsOf } from '../../src/clients/spiffe-pattern.ts';
import { CertificateError } from '../../src/pki/certificate/certificate-error.ts';
import { spiffeIds, spiffePatterns } from '../support/spiffe-ids.ts';

const td = 'spiffe://prod.example';
const parse = (path: string) => parseSpiffePattern(`${td}/${path}`);

describe('parseSpiffePattern accepts', () => {
  test.each([
    ['an ID', 'ns/shop/sa/billing', 0b0000, 4],
    ['a wildcard', 'ns/*/sa/billing', 0b0010, 3],
    ['a wildcard as the only segment', '*', 0b1, 0],
    ['a wildcard at the end', 'ns/shop/sa/*', 0b1000, 3],
    ['three wildcards of six segments', 'a/*/b/*/c/*', 0b101010, 3],
    ['two wildcards of eight segments', 'a/*/b/*/c/d/e/f', 0b1010, 6],
    ['an ID of many segments', Array(500).fill('a').join('/'), 0, 500],
  ])('%s', (_, path, wildcards, literals) => {
    expect(parse(path)).toMatchObject({ text: `${td}/${path}`, wildcards, literals, trustDomain: 'prod.example' });
  });
});

describe('parseSpiffePattern rejects', () => {
  test.each([
    ['a wildcard as the trust domain', 'spiffe://*/a', 'wildcard in the trust domain'],
    ['a wildcard in the trust domain', 'spiffe://*.example/a', 'wildcard in the trust domain'],
    ['a wildcard at the start of a segment', `${td}/*-a`, 'stands for a whole one'],
    ['a wildcard at the end of a segment', `${td}/ns/team-*`, 'stands for a whole one'],
    ['a wildcard within a segment', `${td}/a*b`, 'stands for a whole one'],
    ['two asterisks', `${td}/ns/**`, 'stands for a whole one'],
    ['an encoded asterisk', `${td}/ns/%2A`, 'percent-encoding'],
    ['an encoded slash', `${td}/ns%2Fa`, 'percent-encoding'],
    ['a fullwidth asterisk', `${td}/ns/\uff0a`, 'path segment with characters'],
    ['an alternative', `${td}/{a,b}`, 'path segment with characters'],
    ['a character class', `${td}/[ab]`, 'path segment with characters'],
    ['a question mark', `${td}/a?`, 'query'],
    ['a wildcard and a trailing slash', `${td}/*/`, 'ends with a slash'],
    ['a trust domain in capitals', 'spiffe://Prod.example/*', 'lower case'],
    ['four wildcards of six segments', `${td}/*/*/*/*/a/b`, 'at most 3'],
    ['three wildcards of seven segments', `${td}/*/*/*/a/b/c/d`, 'at most 2'],
    ['a wildcard of nine segments', `${td}/*/1/2/3/4/5/6/7/8`, 'at most 8'],
    ['2049 bytes', `${td}/*/${'a'.repeat(2049 - td.length - 3)}`, '2048 bytes'],
  ])('%s', (_, text, message) => {
    expect(() => parseSpiffePattern(text)).toThrow(CertificateError);
    expect(() => parseSpiffePattern(text)).toThrow(message);
  });
});

describe('matchesPattern', () => {
  const pattern = parse('ns/*/sa/billing');
  test.each([
    [`${td}/ns/shop/sa/billing`, true],
    [`${td}/ns/-/sa/billing`, true],
    [`${td}/ns/ns/sa/billing`, true],
    [`${td}/ns/shop/sa/Billing`, false],
    [`${td}/ns/shop/sa/billing2`, false],
    [`${td}/ns/shop/sa`, false],
    [`${td}/ns/shop/x/sa/billing`, false],
    [`${td}/ns/shop/sa/billing/x`, false],
    [`${td}/ns/sa/billing`, false],
    ['spiffe://prod.example.attacker.example/ns/shop/sa/billing', false],
    ['spiffe://example/ns/shop/sa/billing', false],
  ])('of ns/*/sa/billing and %s is %s', (id, expected) => {
    expect(matchesPattern(id, pattern)).toBe(expected);
  });

  test('agrees with a regular expression for all IDs and patterns', () => {
    const ids = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(ids, spiffePatterns, (segments, text) => {
        const id = `${td}/${segments.join('/')}`;
        const expression = new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}$`);
        expect(matchesPattern(id, parseSpiffePattern(text))).toBe(expression.test(id));
      }),
      { numRuns: 500 },
    );
  });
});

describe('patternsOf', () => {
  test('lists the patterns of an ID of two segments', () => {
    expect(patternsOf(`${td}/a/b`).toSorted()).toEqual([`${td}/*/*`, `${td}/*/b`, `${td}/a/*`]);
  });

  test.each([
    [1, 1],
    [2, 3],
    [3, 7],
    [4, 14],
    [5, 25],
    [6, 41],
    [7, 28],
    [8, 36],
    [9, 0],
    [1000, 0],
  ])('of an ID of %i segments are %i', (segments, count) => {
    const patterns = patternsOf(`${td}/${Array(segments).fill('a').join('/')}`);
    expect(new Set(patterns).size).toBe(count);
  });

  test('are exactly the valid patterns that match', () => {
    fc.assert(
      fc.property(spiffeIds, spiffePatterns, ({ segments }, text) => {
        const id = `${td}/${segments.map((segment) => (segment.length === 2 ? 'b' : 'a')).join('/')}`;
        const pattern = parseSpiffePattern(text);
        const isListed = patternsOf(id).includes(text);
        expect(isListed).toBe(pattern.wildcards > 0 && matchesPattern(id, pattern));
        for (const each of patternsOf(id)) expect(matchesPattern(id, parseSpiffePattern(each))).toBe(true);
      }),
    );
  });
});

describe('overlapOf', () => {
  test.each<[string, string, string | undefined]>([
    ['ns/*/sa/billing', 'ns/prod/sa/*', 'ns/prod/sa/billing'],
    ['*/b', 'a/*', 'a/b'],
    ['*/b/*/d', 'a/*/*/d', 'a/b/*/d'],
    ['a/*', 'a/*', 'a/*'],
    ['a/b', 'a/b', 'a/b'],
    ['a/*', 'b/*', undefined],
    ['ns/*/sa/billing', 'ns/prod/x/*', undefined],
    // The one with more literal segments has precedence.
    ['ns/*/sa/billing', 'ns/prod/sa/billing', undefined],
    ['ns/*/sa/billing', 'ns/*/sa/*', undefined],
    ['a/*', 'a/*/b', undefined],
  ])('of %s and %s is %s', (one, other, expected) => {
    const overlap = expected === undefined ? undefined : `${td}/${expected}`;
    expect(overlapOf(parse(one), parse(other))).toBe(overlap);
    expect(overlapOf(parse(other), parse(one))).toBe(overlap);
  });

  test('is undefined for another trust domain', () => {
    expect(overlapOf(parse('*'), parseSpiffePattern('spiffe://dev.example/*'))).toBeUndefined();
  });

  test('exists exactly if an ID matches two equally specific patterns', () => {
    const alphabet = ['a', 'b'];
    const idsOf = (length: number): string[][] =>
      length === 0 ? [[]] : idsOf(length - 1).flatMap((id) => alphabet.map((letter) => [...id, letter]));
    const short = spiffePatterns.filter((text) => text.split('/').length <= 8);
    fc.assert(
      fc.property(short, short, (one, other) => {
        const patterns = [parseSpiffePattern(one), parseSpiffePattern(other)] as const;
        const ids = idsOf(patterns[0].segments.length).map((id) => `${td}/${id.join('/')}`);
        const both = ids.filter((id) => patterns.every((pattern) => matchesPattern(id, pattern)));
        const overlap = overlapOf(...patterns);
        expect(overlap !== undefined).toBe(both.length > 0 && patterns[0].literals === patterns[1].literals);
        if (overlap === undefined) return;
        expect(ids.filter((id) => matchesPattern(id, parseSpiffePattern(overlap)))).toEqual(both);
      }),
      { numRuns: 300 },
    );
  });
});

test('PatternIndex finds exactly the patterns that overlap, in any order of additions and searches', () => {
  fc.assert(
    fc.property(fc.array(spiffePatterns, { maxLength: 30 }), (texts) => {
      const index = new PatternIndex<number>();
      for (const [owner, text] of texts.entries()) {
        const pattern = parseSpiffePattern(text);
        const expected = texts
          .slice(0, owner)
          .flatMap((earlier, number) =>
            overlapOf(parseSpiffePattern(earlier), pattern) === undefined ? [] : [number],
          );
        expect(index.overlapping(pattern).toSorted((a, b) => a - b)).toEqual(expected);
        index.add(pattern, owner);
      }
    }),
  );
});
