import { expect, test } from 'vitest';
import { forgeryEncoders } from '../../../../src/doctor/probe/forgeries/fields.ts';
import type { HeaderFormat } from '../../../../src/terminator/format.ts';
import { headerFormatNames, headerFormats } from '../../../../src/terminator/formats.ts';
import { selfSigned } from '../../../support/certificates.ts';

const { der } = selfSigned();

test.each(headerFormatNames)('a forgery in the encoding of %s is one that the server could believe', (name) => {
  const { certificate, chain } = forgeryEncoders[name];
  const format: HeaderFormat = headerFormats[name];
  expect(Buffer.from(format.decode(certificate(der)).leaf)).toEqual(Buffer.from(der));
  expect(format.chain === undefined).toBe(chain === undefined);
  if (format.chain && chain) {
    expect(format.chain.decode(chain(der)).map((one) => Buffer.from(one))).toEqual([Buffer.from(der)]);
  }
});
