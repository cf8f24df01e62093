import { expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { readRequestContext } from '../../src/terminator/request-context.ts';
import { parseTrustedAddresses } from '../../src/terminator/trusted-addresses.ts';
import { digestProxySecret, type Peer } from '../../src/terminator/trusted-proxy.ts';

const secret = 's'.repeat(32);
const trust = {
  trustedAddresses: parseTrustedAddresses('192.0.2.1').addresses,
  proxySecretDigests: [digestProxySecret(secret)],
  proxyCertificateRules: [],
};
const proxy: Peer = { kind: 'address', address: '192.0.2.1' };
const ofProxy = ['X-Countersign-Proxy-Secret', secret];
const read = (lines: readonly string[], peer: Peer = proxy) =>
  readRequestContext({ headers: new HeaderFields(lines), peer }, trust);
const UUID = /^[0-9a-f-]{36}$/;

test('the trusted proxy states the id of the request and the address of the client', () => {
  expect(read([...ofProxy, 'X-Request-ID', 'abc', 'X-Forwarded-For', '198.51.100.7'])).toEqual({
    peer: '192.0.2.1',
    request_id: 'abc',
    client_address: '198.51.100.7',
  });
});

test.each<[string, readonly string[], Peer]>([
  ['with another address', ofProxy, { kind: 'address', address: '192.0.2.2' }],
  ['without the proxy secret', [], proxy],
  ['with another secret', ['X-Countersign-Proxy-Secret', 'x'], proxy],
])('a peer %s states neither', (_, lines, peer) => {
  const context = read([...lines, 'X-Request-ID', 'abc', 'X-Forwarded-For', '198.51.100.7'], peer);
  expect(context).toMatchObject({ client_address: context.peer, request_id: expect.stringMatching(UUID) });
});

test.each([
  ['198.51.100.7, 198.51.100.8', '198.51.100.8'],
  ['198.51.100.7,198.51.100.8:443', '198.51.100.8'],
  ['[2001:db8::7]:443', '2001:db8::7'],
  ['[2001:db8::7]', '2001:db8::7'],
  ['2001:db8::7', '2001:db8::7'],
  ['unknown', undefined],
  ['198.51.100.7,', undefined],
  ['198.51.100.7\n', '198.51.100.7'],
  ['198.51.100.7:x', undefined],
  ['1'.repeat(100_000), undefined],
  ['', undefined],
])('the address of the client in X-Forwarded-For %j is %s', (value, address) => {
  expect(read([...ofProxy, 'X-Forwarded-For', value]).client_address).toBe(address);
});

test('the address of the client is in the last line of X-Forwarded-For', () => {
  const lines = ['X-Forwarded-For', '198.51.100.7', 'x-forwarded-for', '198.51.100.8'];
  expect(read([...ofProxy, ...lines]).client_address).toBe('198.51.100.8');
});

test.each([[['a b']], [['a\u00e4']], [['']], [['a'.repeat(129)]], [['a', 'b']]])(
  'an X-Request-ID of %j is replaced by a new one',
  (ids) => {
    const lines = ids.flatMap((id) => ['X-Request-ID', id]);
    expect(read([...ofProxy, ...lines]).request_id).toMatch(UUID);
  },
);

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
test.each([
  [`00-${traceId}-00f067aa0ba902b7-01`, traceId],
  [`cc-${traceId}-00f067aa0ba902b7-01-what-comes-later`, traceId],
  [`cc-${traceId}-00f067aa0ba902b7-01`, traceId],
  [`00-${traceId}-00f067aa0ba902b7-01-more`, undefined],
  [`cc-${traceId}-00f067aa0ba902b7-01.more`, undefined],
  [`ff-${traceId}-00f067aa0ba902b7-01`, undefined],
  [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, undefined],
  [`00-${traceId}-0000000000000000-01`, undefined],
  [`00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`, undefined],
  [` 00-${traceId}-00f067aa0ba902b7-01`, undefined],
  ['', undefined],
])('the trace of traceparent %j is %s', (traceparent, id) => {
  expect(read(['traceparent', traceparent]).trace_id).toBe(id);
});

test('a repeated traceparent names no trace', () => {
  const line = ['traceparent', `00-${traceId}-00f067aa0ba902b7-01`];
  expect(read([...line, ...line]).trace_id).toBeUndefined();
});

test('a peer at a Unix socket has no address, and is the proxy', () => {
  const context = read([...ofProxy, 'X-Request-ID', 'abc'], { kind: 'unix' });
  expect(context).toEqual({ peer: 'unix', request_id: 'abc' });
});
