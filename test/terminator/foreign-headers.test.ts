import { beforeEach, describe, expect, test } from 'vitest';
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
const stranger = { kind: 'address', address: '192.0.2.1' } as const;

describe('certificate headers of other formats', () => {
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
    ['both', ['client-cert', 'x', 'x-forwarded-client-cert', 'x'], ['client-cert', 'x-forwarded-client-cert']],
    ['an empty one', ['Client-Cert', ''], []],
    ['our own', ['X-SSL-Client-Cert', 'x', 'X-SSL-Client-Verify', 'SUCCESS'], []],
    ['none', ['Host', 'auth.example', 'Content-Type', 'x'], []],
  ])('%s', (_, headers, expected) => {
    watch()({ headers, peer: proxy });
    expect(reported).toEqual(expected);
  });

  test('are reported once a minute, each', () => {
    const look = watch();
    const ask = (name: string) => look({ headers: [name, 'x'], peer: proxy });
    for (const [at, name] of [
      [0, 'Client-Cert'],
      [1, 'Client-Cert'],
      [2, 'X-Forwarded-Client-Cert'],
      [59_999, 'client-cert'],
    ] as const) {
      now = at;
      ask(name);
    }
    expect(reported).toEqual(['client-cert', 'x-forwarded-client-cert']);
    now = 60_000;
    ask('Client-Cert');
    expect(reported).toEqual(['client-cert', 'x-forwarded-client-cert', 'client-cert']);
  });

  test('of strangers are none of our business', () => {
    const headers = ['Client-Cert', 'x'];
    watch()({ headers, peer: stranger });
    const secretly = { ...terminator.proxyTrust, proxySecretDigests: [digestProxySecret('x'.repeat(32))] };
    watch({ ...terminator, proxyTrust: secretly })({ headers, peer: proxy });
    expect(reported).toEqual([]);
  });

  test('are not reported where the setting names them', () => {
    watch({ ...terminator, certificateHeader: 'client-cert' })({ headers: ['Client-Cert', 'x'], peer: proxy });
    expect(reported).toEqual([]);
  });
});
