import { beforeEach, describe, expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';
import { detectForeignHeaders } from '../../src/terminator/foreign-headers.ts';
import type { Terminator } from '../../src/terminator/terminator.ts';
import { parseTrustedAddresses } from '../../src/terminator/trusted-addresses.ts';
import { digestProxySecret } from '../../src/terminator/trusted-proxy.ts';

const terminator: Terminator = {
  name: 'nginx',
  certificateHeader: 'x-ssl-client-cert',
  chainHeader: undefined,
  verification: { by: 'header', fields: [{ header: 'x-ssl-client-verify', successValue: 'SUCCESS' }] },
  proxyTrust: {
    trustedAddresses: parseTrustedAddresses().addresses,
    proxySecretDigests: [],
    proxyCertificateRules: [],
  },
};
const proxy = { kind: 'address', address: '127.0.0.1' } as const;
const untrusted = { kind: 'address', address: '192.0.2.1' } as const;

describe('a certificate header of another format', () => {
  let reported: string[];
  let now: number;
  const watch = (by = terminator) =>
    detectForeignHeaders(
      by,
      (header) => reported.push(header),
      () => now,
    );
  beforeEach(() => {
    reported = [];
    now = 0;
  });

  test.each([
    ['Envoy', ['X-Forwarded-Client-Cert', 'x'], ['x-forwarded-client-cert']],
    ['RFC 9440', ['CLIENT-CERT', ':AA==:'], ['client-cert']],
    ['both', ['client-cert', 'x', 'x-forwarded-client-cert', 'x'], ['x-forwarded-client-cert', 'client-cert']],
    ['an empty one', ['Client-Cert', ''], []],
    ['our own', ['X-SSL-Client-Cert', 'x', 'X-SSL-Client-Verify', 'SUCCESS'], []],
    ['none', ['Host', 'auth.example', 'Content-Type', 'x'], []],
  ])('is detected: %s', (_, headers, expected) => {
    watch()({ headers: new HeaderFields(headers), peer: proxy });
    expect(reported).toEqual(expected);
  });

  test('is reported once a minute', () => {
    const detect = watch();
    const receive = (name: string) => detect({ headers: new HeaderFields([name, 'x']), peer: proxy });
    for (const [at, name] of [
      [0, 'Client-Cert'],
      [1, 'Client-Cert'],
      [2, 'X-Forwarded-Client-Cert'],
      [59_999, 'client-cert'],
    ] as const) {
      now = at;
      receive(name);
    }
    expect(reported).toEqual(['client-cert', 'x-forwarded-client-cert']);
    now = 60_000;
    receive('Client-Cert');
    expect(reported).toEqual(['client-cert', 'x-forwarded-client-cert', 'client-cert']);
  });

  test('is ignored if the peer is not the trusted proxy', () => {
    const headers = new HeaderFields(['Client-Cert', 'x']);
    watch()({ headers, peer: untrusted });
    const withSecret = { ...terminator.proxyTrust, proxySecretDigests: [digestProxySecret('x'.repeat(32))] };
    watch({ ...terminator, proxyTrust: withSecret })({ headers, peer: proxy });
    expect(reported).toEqual([]);
  });

  test('is not foreign if a setting names it', () => {
    watch({ ...terminator, certificateHeader: 'client-cert' })({
      headers: new HeaderFields(['Client-Cert', 'x']),
      peer: proxy,
    });
    expect(reported).toEqual([]);
  });
});
