import { expect, test } from 'vitest';
import { parseDer } from '../../../src/pki/certificate/der.ts';
import { parseObjectIdentifier } from '../../../src/pki/certificate/object-identifier.ts';

const bytesOf = (hex: string) => Buffer.from(hex, 'hex');
const textOf = (bytes: Uint8Array) => parseObjectIdentifier(parseDer(bytes));

/** These two have the same hash: 33 × 0x2a + 0x03 = 33 × 0x29 + 0x24 = 1389. */
const [one, other] = [bytesOf('06022a03'), bytesOf('06022924')];

test('identifiers with the same hash keep their own texts, however often they alternate', () => {
  const texts = [one, other, one, one, other, other].map(textOf);
  expect(texts).toEqual(['1.2.3', '1.1.36', '1.2.3', '1.2.3', '1.1.36', '1.1.36']);
});

test('bytes that change after they were parsed are parsed anew', () => {
  const bytes = bytesOf('06022a03');
  expect(textOf(bytes)).toBe('1.2.3');
  bytes.set(other);
  expect(textOf(bytes)).toBe('1.1.36');
});

test('an identifier that begins with another of the same hash has its own text', () => {
  // 33 × 1389 + 0x60 and 1389 have the same remainder of 512.
  const longer = bytesOf('06032a0360');
  expect([one, longer, one].map(textOf)).toEqual(['1.2.3', '1.2.3.96', '1.2.3']);
});
