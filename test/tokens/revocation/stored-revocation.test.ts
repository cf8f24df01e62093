import { describe, expect, test } from 'vitest';
import { ALL, cutOff, revokedToken } from '../../../src/tokens/revocation/revocation.ts';
import {
  keyValue,
  parseKeyValue,
  parseStreamFields,
  streamFields,
} from '../../../src/tokens/revocation/stored-revocation.ts';

const token = revokedToken('d0d11cb8', 1_800_003_600);
const ofClient = cutOff({ kind: 'client', value: 'billing' }, 1_800_000_000);
const ofAudience = cutOff({ kind: 'audience', value: 'https://api.example' }, 1_800_000_000);

describe('a revocation in Redis', () => {
  test.each([
    [token, 'jti d0d11cb8 exp 1800003905', '{"jti":"d0d11cb8","exp":1800003905}'],
    [
      ofClient,
      'client billing before 1800000000 exp 1800086705',
      '{"client":"billing","before":1800000000,"exp":1800086705}',
    ],
    [
      ofAudience,
      'audience https://api.example before 1800000000 exp 1800086705',
      '{"audience":"https://api.example","before":1800000000,"exp":1800086705}',
    ],
  ])('%j is the entry %j and the value %j', (revocation, entry, value) => {
    expect(streamFields(revocation).join(' ')).toBe(entry);
    expect(parseStreamFields(entry.split(' '))).toEqual(revocation);
    expect(parseStreamFields([...entry.split(' '), 'of', 'a later version'])).toEqual(revocation);
    expect(keyValue(revocation)).toBe(value);
    expect(parseKeyValue(value)).toBe(revocation.before);
  });

  test.each([
    '',
    'jti',
    'jti a',
    'jti a exp',
    'jti a exp x',
    'jti a exp -1',
    'jti a exp 1.5',
    'jti a exp 4294967296',
    'jti a exp 99999999999',
    'jti a before 1',
    'client a exp 1',
    'client a before 1',
    'client a before x exp 1',
    'client a exp 1 before 1',
    'issuer a before 1 exp 1',
    'toString a before 1 exp 1',
  ])('is not the entry %j', (entry) => {
    expect(parseStreamFields(entry.split(' '))).toBe(undefined);
  });

  test.each(['', 'x', 'null', '[]', '{}', '{"before":"1"}', '{"before":1e300}', '{"before":-1}', '{"exp":1}'])(
    'revokes everything if its value is %j',
    (value) => {
      expect(parseKeyValue(value)).toBe(ALL);
    },
  );
});
