import { describe, expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';

describe('header fields', () => {
  const fields = new HeaderFields([
    'Host',
    'a',
    'X-One',
    '1',
    'x-one',
    '',
    'x-ONE',
    '3',
    '__proto__',
    'x',
    'Empty',
    '',
  ]);

  test('keep the lines of a repeated field separate, in order, in any case', () => {
    expect(fields.all('x-one')).toEqual(['1', '', '3']);
    expect(fields.all('host')).toEqual(['a']);
  });

  test('combine the lines of a repeated field with a comma', () => {
    expect(fields.combined('x-one')).toBe('1, , 3');
    expect(fields.combined('host')).toBe('a');
    expect(fields.combined('empty')).toBe('');
  });

  test.each(['x-on', 'x-one ', 'a', '1', '', 'tostring', 'constructor', 'length'])('have no field %j', (name) => {
    expect(fields.all(name)).toEqual([]);
    expect(fields.combined(name)).toBeUndefined();
  });

  test('are found by names whose lengths differ by 32', () => {
    const [short, long] = ['n', 'n'.repeat(33)];
    const both = new HeaderFields([short, '1', long, '33']);
    expect([both.all(short), both.all(long)]).toEqual([['1'], ['33']]);
    expect(new HeaderFields([long, '33']).all(short)).toEqual([]);
  });

  test('can have any name', () => expect(fields.all('__proto__')).toEqual(['x']));

  test('keep each line as it was received', () => {
    expect([...fields.lines()]).toEqual([
      ['Host', 'a'],
      ['X-One', '1'],
      ['x-one', ''],
      ['x-ONE', '3'],
      ['__proto__', 'x'],
      ['Empty', ''],
    ]);
  });
});
