import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseElement } from '../../../src/terminator/encodings/xfcc-element.ts';
import { relativeTo } from '../../support/cpu-time.ts';

const bare = (key: string, value: string) => ({ key, quoted: false, value });
const quoted = (key: string, value: string) => ({ key, quoted: true, value });

describe('an element of x-forwarded-client-cert is parsed', () => {
  test.each([
    ['one pair', 'Hash=ab', [bare('hash', 'ab')]],
    ['pairs', 'By=a;Hash=b', [bare('by', 'a'), bare('hash', 'b')]],
    ['a repeated key', 'DNS=a;DNS=b', [bare('dns', 'a'), bare('dns', 'b')]],
    ['keys in any case', 'hASH=Ab', [bare('hash', 'Ab')]],
    ['an empty value', 'URI=;DNS=', [bare('uri', ''), bare('dns', '')]],
    ['an equals sign within a value', 'URI=a=b', [bare('uri', 'a=b')]],
    ['bytes that are not ASCII', 'URI=x\u00ff\u00c3', [bare('uri', 'x\u00ff\u00c3')]],
    ['a backslash in a bare value', 'URI=a\\;DNS=b', [bare('uri', 'a\\'), bare('dns', 'b')]],
    ['an empty quoted value', 'Subject=""', [quoted('subject', '')]],
    ['separators between quotes', 'Subject="O=a,CN=b"', [quoted('subject', 'O=a,CN=b')]],
    ['an escaped quote', 'Subject="CN=a\\"b"', [quoted('subject', 'CN=a\\"b')]],
    ['an escaped semicolon', 'Subject="CN=a\\;b"', [quoted('subject', 'CN=a\\;b')]],
    ['a backslash at the end', 'Subject="CN=a\\\\";URI=', [quoted('subject', 'CN=a\\\\'), bare('uri', '')]],
    ['a quote and a backslash at the end', 'Subject="CN=\\"\\\\"', [quoted('subject', 'CN=\\"\\\\')]],
  ])('%s', (_, text, pairs) => {
    expect(parseElement(text)).toEqual({ pairs, anotherFollows: false });
    expect(parseElement(`${text},`)).toEqual({ pairs, anotherFollows: true });
    expect(parseElement(`${text},Hash=c;,"`)).toEqual({ pairs, anotherFollows: true });
  });
});

describe('a malformed element of x-forwarded-client-cert is rejected', () => {
  test.each([
    ['absent', '', 'expected a key and an equals sign at offset 0'],
    ['a word', 'Hash', 'expected a key'],
    ['no key', '=a', 'expected a key'],
    ['a separator first', ';Hash=a', 'expected a key and an equals sign at offset 0'],
    ['a comma first', ',Hash=a', 'expected a key'],
    ['a separator last', 'Hash=a;', 'at offset 7'],
    ['two separators', 'Hash=a;;URI=b', 'at offset 7'],
    ['a space before a key', 'Hash=a; URI=b', 'at offset 7'],
    ['a space behind a key', 'Hash =a', 'expected a key'],
    ['a tab before it all', '\tHash=a', 'expected a key'],
    ['a digit in a key', 'H4sh=a', 'expected a key'],
    ['a key that is not ASCII', 'H\u00e4sh=a', 'expected a key'],
    ['a key of 17 letters', `${'a'.repeat(17)}=b`, 'expected a key'],
    ['a pair without equals sign', 'By=urn:x(a;None;b);Hash=c', 'expected a key and an equals sign at offset 11'],
    ['a quoted key', '"Hash"=a', 'expected a key'],
    ['a quote behind a bare value', 'URI=a"', 'a quote inside an unquoted value at offset 5'],
    ['a quoted part of a value', 'URI=a"b"', 'a quote inside'],
    ['an open quote', 'Subject="CN=a', 'an unterminated quote at offset 8'],
    ['a quote alone', 'Subject="', 'unterminated'],
    ['a quote that a backslash escapes', 'Subject="CN=a\\"', 'unterminated'],
    ['a backslash that ends it all', 'Subject="CN=a\\', 'unterminated'],
    [
      'a letter behind a closing quote',
      'Subject="CN=a"x',
      'an unexpected character after a closing quote at offset 14',
    ],
    ['a quote behind a closing quote', 'Subject=""";URI=', 'after a closing quote'],
    ['a space behind a closing quote', 'Subject="CN=a" ;URI=', 'after a closing quote'],
    ['a backslash behind a closing quote', 'Subject=""\\', 'after a closing quote'],
    ['an unescaped semicolon between quotes', 'Subject="CN=a;b"', 'an unescaped semicolon between quotes at offset 13'],
    ['a semicolon behind an escaped backslash', 'Subject="\\\\;"', 'an unescaped semicolon'],
    ['more pairs than one certificate has', 'DNS=a;'.repeat(2_000).concat('DNS=a'), 'more than 2000 pairs'],
  ])('%s', (_, text, reason) => {
    expect(() => parseElement(text)).toThrow(CertificateError);
    expect(() => parseElement(text)).toThrow(reason);
  });
});

test('the error mentions names of the certificate only if one can precede the position', () => {
  expect(() => parseElement('-----BEGIN%20CERTIFICATE-----')).toThrow(/at offset 0 of x-forwarded-client-cert$/);
  expect(() => parseElement('URI=a;b')).toThrow('remove uri and dns from set_current_client_cert_details');
});

test('the parsed pairs are exactly the text of the element', () => {
  const text = fc.array(fc.constantFrom('URI=', 'DNS=', 'a', '"', '\\', ';', ',', '=', ' '), { maxLength: 12 });
  fc.assert(
    fc.property(
      text.map((parts) => parts.join('')),
      (value) => {
        const written = rewrite(value);
        if (written === undefined) return;
        expect(value.slice(0, written.length).toLowerCase()).toBe(written.toLowerCase());
        expect(value.at(written.length)).toBe(written.length < value.length ? ',' : undefined);
      },
    ),
    { numRuns: 2_000 },
  );
});

function rewrite(value: string): string | undefined {
  try {
    const { pairs } = parseElement(value);
    const quote = ({ quoted }: { quoted: boolean }) => (quoted ? '"' : '');
    return pairs.map((pair) => `${pair.key}=${quote(pair)}${pair.value}${quote(pair)}`).join(';');
  } catch (error) {
    expect(error).toBeInstanceOf(CertificateError);
    return undefined;
  }
}

describe('an element of 64 KiB is parsed in linear time', () => {
  const LENGTH = 64 * 1024;
  /** In multiples of the CPU time for one plain value of the same length. */
  const COST_LIMIT = 20;
  const cost = relativeTo(() => void rewrite(`URI=${'a'.repeat(LENGTH)}`));

  test.each(['\\', '"', ',', ';', '=', 'a', 'By=', 'By=;', 'By="";', 'By="', '\\"', '\\;', 'By="\\";'])(
    'for a repetition of %j',
    (part) => {
      const long = part.repeat(LENGTH / part.length);
      for (const text of [long, `By=${long}`, `By="${long}`, `By="${long}"`]) {
        expect(cost(() => void rewrite(text), COST_LIMIT)).toBeLessThan(COST_LIMIT);
      }
    },
  );
});
