import { expect, test } from 'vitest';
import { closestMatch } from '../src/closest-match.ts';

const commands = ['serve', 'dev', 'clients', 'certificate', 'doctor'];

test.each([
  ['sreve', 'serve'],
  ['client', 'clients'],
  ['docktor', 'doctor'],
  ['certificates', 'certificate'],
  ['cert', 'certificate'],
  ['CERT', 'certificate'],
  ['development', 'dev'],
  ['c', undefined],
  ['start', undefined],
  ['x', undefined],
  ['', undefined],
])('the closest match of "%s" is %s', (name, match) => {
  expect(closestMatch(name, commands)).toBe(match);
});

test('a name that begins several candidates has no closest match', () => {
  expect(closestMatch('rejected', ['rej', 'reje'])).toBeUndefined();
});

test('nothing is close where there are no candidates', () => {
  expect(closestMatch('serve', [])).toBeUndefined();
});
