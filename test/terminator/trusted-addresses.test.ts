import { expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { isLoopback, parseTrustedAddresses } from '../../src/terminator/trusted-addresses.ts';
import { untrustedReason } from '../../src/terminator/trusted-proxy.ts';

/** The notations of one address are the same address (RFC 4291 §2.2, §2.5.5.2). */
test.each([
  ['2001:db8::1', '2001:DB8:0:0:0:0:0:1'],
  ['2001:0db8:0000::0001', '2001:db8::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '::ffff:192.0.2.1'],
  ['192.0.2.1', '::FFFF:C000:201'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['2001:DB8::/32', '2001:db8:ffff::1'],
])('a peer is trusted if %s is configured and it has the address %s', (configured, address) => {
  const trust = { proxySecretDigests: [], proxyCertificateRules: [] };
  const { addresses } = parseTrustedAddresses(configured);
  const headers = new HeaderFields([]);
  expect(
    untrustedReason({ kind: 'address', address }, headers, { ...trust, trustedAddresses: addresses }),
  ).toBeUndefined();
});

test.each([
  'localhost',
  'LocalHost',
  'localhost.',
  '127.0.0.1',
  '127.9.9.9',
  '::1',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
])('%s is a loopback address', (host) => expect(isLoopback(host)).toBe(true));

test.each(['0.0.0.0', '::', '128.0.0.1', '::2', '::ffff:10.0.0.1', 'localhost.example', '127.0.0.1.example', ''])(
  '"%s" is not a loopback address',
  (host) => expect(isLoopback(host)).toBe(false),
);

test.each([
  ['0:0:0:0:0:0:0:1,::ffff:127.0.0.1', false],
  ['127.0.0.1,10.0.0.1', true],
  ['::1/127', true],
])('whether %s is more than loopback: %s', (text, beyond) => {
  expect(parseTrustedAddresses(text).beyondLoopback).toBe(beyond);
});
