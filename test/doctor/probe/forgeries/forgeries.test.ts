import { describe, expect, test } from 'vitest';
import type { ConfiguredFields } from '../../../../src/doctor/probe/forgeries/forged-fields.ts';
import { forgeriesFor } from '../../../../src/doctor/probe/forgeries/forgeries.ts';
import type { Forgery } from '../../../../src/doctor/probe/forgeries/forgery.ts';
import type { HeaderFormat } from '../../../../src/terminator/format.ts';
import { type HeaderFormatName, headerFormatNames, headerFormats } from '../../../../src/terminator/formats.ts';
import { selfSigned } from '../../../support/certificates.ts';

const certificates = { forged: selfSigned().der, own: selfSigned().der };

function configured(terminator: HeaderFormatName, more: Partial<ConfiguredFields> = {}): ConfiguredFields {
  const { certificateHeader, chain, verification }: HeaderFormat = headerFormats[terminator];
  const [first, ...others] = verification;
  return {
    terminator,
    certificate_header: certificateHeader,
    chain_header: chain?.header ?? null,
    verification: first ? { by: 'header', fields: [first, ...others] } : { by: 'none', fields: [], fix: '' },
    ...more,
  };
}

const linesOf = ({ http1 }: Forgery) => [...(http1?.first ?? []), ...(http1?.last ?? [])];

describe.each(headerFormatNames)('the forgeries for %s', (name) => {
  const forgeries = forgeriesFor(configured(name), certificates);
  const written = headerFormats[name].encode(certificates.forged);

  test('have unique names and titles', () => {
    expect(new Set(forgeries.map((forgery) => forgery.name)).size).toBe(forgeries.length);
    expect(new Set(forgeries.map(({ title }) => title)).size).toBe(forgeries.length);
  });

  test('contain the certificate in most variants', () => {
    const variants = forgeries.filter(({ family }) => family === 'variant');
    const containing = variants.filter((forgery) => linesOf(forgery).some((line) => line.includes(written)));
    expect(variants.length).toBeGreaterThan(25);
    expect(variants.length - containing.length).toBeLessThan(9);
  });

  test('contain the certificate in the fields of every other format', () => {
    const others = forgeries.filter(({ family }) => family === 'other_format');
    expect(others).toHaveLength(headerFormatNames.length - 1);
    for (const other of headerFormatNames.filter((one) => one !== name)) {
      const { http2 } = others.find((forgery) => forgery.name === `as_${other.replaceAll('-', '_')}`) ?? {};
      const values = new Map((http2 ?? []).map(([header, value]) => [header.toLowerCase(), value]));
      const value = values.get(headerFormats[other].certificateHeader) ?? '';
      expect(Buffer.from(headerFormats[other].decode(value).leaf)).toEqual(Buffer.from(certificates.forged));
    }
  });
});

describe('a forgery', () => {
  const forgeries = forgeriesFor(
    configured('nginx', {
      certificate_header: 'x-renamed-cert',
      verification: { by: 'header', fields: [{ header: 'x-renamed-verify', successValue: 'OK' }] },
    }),
    certificates,
  );
  const find = (name: string) => forgeries.find((forgery) => forgery.name === name);
  const linesIn = (name: string) => forgeries.filter((forgery) => forgery.name === name).flatMap(linesOf);

  test.each([
    ['exact', ['X-Renamed-Cert', 'X-Renamed-Verify']],
    ['upper_case', ['X-RENAMED-CERT', 'X-RENAMED-VERIFY']],
    ['mixed_case', ['x-rEnAmEd-cErT', 'x-rEnAmEd-vErIfY']],
    ['underscores', ['X_Renamed_Cert', 'X_Renamed_Verify']],
    ['one_underscore', ['X-Renamed_Cert', 'X-Renamed_Verify']],
    ['dots', ['X.Renamed.Cert', 'X.Renamed.Verify']],
    ['empty_before', ['X-Renamed-Cert', 'X-Renamed-Verify', 'X-Renamed-Cert', 'X-Renamed-Verify']],
    ['verification_alone', ['X-Renamed-Verify']],
    ['guessed_secret', ['X-Renamed-Cert', 'X-Renamed-Verify', 'X-Countersign-Proxy-Secret']],
  ])('is written with the configured field names: %s', (name, names) => {
    expect(linesIn(name).map((line) => line.split(':')[0])).toEqual(names);
  });

  test('contains the configured success value', () => {
    expect(linesIn('verification_alone')).toEqual(['X-Renamed-Verify: OK']);
  });

  test.each(['upper_case', 'folded', 'space_before_colon', 'bare_line_feed', 'in_connection', 'unannounced_trailer'])(
    'cannot be expressed over HTTP/2: %s',
    (name) => expect(find(name)).toMatchObject({ http2: undefined }),
  );

  test('with a second element exists only for formats with elements', () => {
    expect(find('element_before')).toBeUndefined();
    const elements = forgeriesFor(configured('envoy'), certificates).map(({ name }) => name);
    expect(elements).toEqual(expect.arrayContaining(['element_before', 'element_after', 'open_element', 'json']));
  });

  test('of the chain exists only for formats with a chain', () => {
    expect(find('chain_alone')).toBeUndefined();
    expect(forgeriesFor(configured('haproxy'), certificates).map(({ name }) => name)).toContain('chain_alone');
  });
});
