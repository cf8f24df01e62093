import { describe, expect, test } from 'vitest';
import { parseRoute } from '../../src/edge/route.ts';

describe('a target stays with the resource whose name it begins with:', () => {
  test.each([
    ['nothing', ''],
    ['a slash', '/'],
    ['a path', '/orders/1'],
    ['a dot segment', '/../lenient'],
    ['encoded dot segments', '/%2e%2e/lenient'],
    ['two dot segments', '/../../mint/lenient'],
    ['an empty segment', '//lenient'],
    ['a parameter', '/;/../lenient'],
    ['a fragment', '/#/../lenient'],
    ['a backslash', '/..\\lenient'],
    ['a second URL', '/http://edge/edge/mint/lenient'],
    ['a query', '?a=/edge/mint/lenient'],
    ['an empty query', '?'],
    ['60 KB of query', `?${'x'.repeat(60_000)}/../lenient`],
    ['bytes beyond ASCII', '/ä'],
  ])('%s', (_, rest) => {
    expect(parseRoute(`/edge/verify/strict${rest}`)).toEqual({ kind: 'verify', name: 'strict' });
  });
});

describe('a target names no route:', () => {
  test.each([
    ['an asterisk', '*'],
    ['an empty target', ''],
    ['the root', '/'],
    ['only a prefix', '/edge/verify'],
    ['no name', '/edge/verify/'],
    ['no name before a query', '/edge/verify/?strict'],
    ['no name before a path', '/edge/verify//strict'],
    ['an unknown kind', '/edge/check/strict'],
    ['a kind in upper case', '/edge/VERIFY/strict'],
    ['a prefix in upper case', '/Edge/verify/strict'],
    ['an encoded letter', '/edge/verify/%73trict'],
    ['an encoded slash', '/edge/verify%2Fstrict'],
    ['a dot segment as the name', '/edge/verify/../strict'],
    ['a dot segment before the prefix', '/x/../edge/verify/strict'],
    ['a path before the prefix', '/x/edge/verify/strict'],
    ['an empty segment before the prefix', '//edge/verify/strict'],
    ['a name in upper case', '/edge/verify/Strict'],
    ['a name with a dot', '/edge/verify/strict.json'],
    ['a name with a parameter', '/edge/verify/strict;a=b'],
    ['a name with a fragment', '/edge/verify/strict#a'],
    ['a name with an encoded slash', '/edge/verify/strict%2f..%2flenient'],
    ['a name that is too long', `/edge/verify/${'x'.repeat(64)}`],
    ['a name of a property of every object', '/edge/verify/__proto__'],
  ])('%s', (_, target) => {
    expect(parseRoute(target)).toBeUndefined();
  });
});

test.each(['mint', 'verify', 'either'])('%s is a kind of route', (kind) => {
  expect(parseRoute(`/edge/${kind}/${'x'.repeat(63)}`)).toEqual({ kind, name: 'x'.repeat(63) });
});
