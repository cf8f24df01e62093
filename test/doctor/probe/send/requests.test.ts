import { expect, test } from 'vitest';
import { fields, lines } from '../../../../src/doctor/probe/forgeries/forgery.ts';
import { http1Requests, http2Requests } from '../../../../src/doctor/probe/send/requests.ts';

const endpoints = [
  { host: 'a.example', path: '/token' },
  { host: 'b.example:8443', path: '/tenant/token' },
];
const form = 'grant_type=client_credentials&client_id=countersign-doctor';
const commonFields = 'user-agent: countersign-doctor\r\ncontent-type: application/x-www-form-urlencoded\r\n';
const text = (request: Uint8Array | undefined) => Buffer.from(request ?? []).toString('latin1');

test('only the last request of a connection is forged and tagged', () => {
  const [first, last] = http1Requests(endpoints, lines('x', 'x', ['After: 2'], ['Before : 1']), 'id.1');
  expect(text(first)).toBe(
    `POST /token HTTP/1.1\r\nHost: a.example\r\n${commonFields}Content-Length: ${form.length}\r\n\r\n${form}`,
  );
  expect(text(last)).toBe(
    `POST /tenant/token HTTP/1.1\r\nBefore : 1\r\nHost: b.example:8443\r\n${commonFields}x-countersign-doctor: id.1\r\n` +
      `After: 2\r\nContent-Length: ${form.length}\r\n\r\n${form}`,
  );
});

test.each([
  ['announced', 'Trailer: X-Cert\r\n'],
  ['unannounced', ''],
] as const)('an HTTP/1.1 trailer follows the body: %s', (trailer, announced) => {
  const [request] = http1Requests(endpoints.slice(0, 1), { ...lines('x', 'x', ['X-Cert: 1']), trailer }, 'id.1');
  expect(text(request)).toBe(
    `POST /token HTTP/1.1\r\nHost: a.example\r\n${commonFields}x-countersign-doctor: id.1\r\nTransfer-Encoding: chunked\r\n` +
      `${announced}\r\n${form.length.toString(16)}\r\n${form}\r\n0\r\nX-Cert: 1\r\n\r\n`,
  );
});

test('HTTP/2 names are in lower case and fields of one name stay separate', () => {
  const twice = [['X-Cert', '1'] as const, ['X-Other', '2'] as const, ['x-cert', '3'] as const];
  const [first, last] = http2Requests(endpoints, fields('x', 'x', twice), 'id.1');
  expect(first?.headers).not.toHaveProperty('x-countersign-doctor');
  expect(last).toMatchObject({
    headers: {
      ':authority': 'b.example:8443',
      'x-cert': ['1', '3'],
      'x-other': ['2'],
      'x-countersign-doctor': ['id.1'],
    },
    body: form,
    trailers: undefined,
  });
  const [trailing] = http2Requests(endpoints.slice(0, 1), { ...fields('x', 'x', twice), trailer: 'announced' }, 'id.1');
  expect(trailing).toMatchObject({ headers: { trailer: 'x-cert, x-other' }, trailers: { 'x-cert': ['1', '3'] } });
});
