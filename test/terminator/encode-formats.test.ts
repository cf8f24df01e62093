import { expect, test } from 'vitest';
import type { HeaderFormat } from '../../src/terminator/format.ts';
import { headerFormatNames, headerFormats } from '../../src/terminator/formats.ts';
import { selfSigned } from '../support/certificates.ts';

const { der } = selfSigned();

test.each(headerFormatNames)('the encoding of %s is decoded to the encoded certificate', (name) => {
  const { encode, decode, chain }: HeaderFormat = headerFormats[name];
  expect(Buffer.from(decode(encode(der)).leaf)).toEqual(Buffer.from(der));
  if (chain) expect(chain.decode(chain.encode(der)).map((one) => Buffer.from(one))).toEqual([Buffer.from(der)]);
});

test.each(headerFormatNames)('the hints of %s begin with the name of the terminator', (name) => {
  const { hints }: HeaderFormat = headerFormats[name];
  for (const hint of Object.values(hints)) expect(hint.toLowerCase()).toMatch(new RegExp(`^${name}[: ]`));
});
