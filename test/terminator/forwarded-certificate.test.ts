import { describe, expect, test } from 'vitest';
import { HeaderFields } from '../../src/http/header-fields.ts';
import type { HeaderFormat } from '../../src/terminator/format.ts';
import { type HeaderFormatName, headerFormats } from '../../src/terminator/formats.ts';
import { readForwardedCertificate } from '../../src/terminator/forwarded-certificate.ts';
import { ForwardingError } from '../../src/terminator/forwarding-error.ts';
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
const secret = 'a-secret-of-more-than-32-characters';
const withSecret: Terminator = {
  ...terminator,
  proxyTrust: { ...terminator.proxyTrust, proxySecretDigests: [digestProxySecret(secret)] },
};
const proxy = { kind: 'address', address: '127.0.0.1' } as const;
const cert = ['X-SSL-Client-Cert', 'PEM'];
const success = ['X-SSL-Client-Verify', 'SUCCESS'];

const read = (
  headers: string[],
  more: { peer?: Parameters<typeof readForwardedCertificate>[0]['peer']; by?: Terminator } = {},
) => readForwardedCertificate({ headers: new HeaderFields(headers), peer: more.peer ?? proxy }, more.by ?? terminator);

describe('a forwarded certificate is read', () => {
  test.each([
    ['from loopback', [...cert, ...success], proxy, terminator],
    ['from loopback, IPv6', [...cert, ...success], { kind: 'address', address: '::1' } as const, terminator],
    [
      'from loopback, IPv4 mapped',
      [...cert, ...success],
      { kind: 'address', address: '::ffff:127.0.0.1' } as const,
      terminator,
    ],
    ['over a Unix socket', [...cert, ...success], { kind: 'unix' } as const, terminator],
    ['in any case', ['x-ssl-CLIENT-cert', 'PEM', ...success], proxy, terminator],
    ['with the proxy secret', [...cert, ...success, 'X-Countersign-Proxy-Secret', secret], proxy, withSecret],
  ])('%s', (_, headers, peer, by) => {
    expect(read(headers, { peer, by })).toMatchObject({
      kind: 'certificate',
      encoded: 'PEM',
      verification: { result: 'verified' },
    });
  });
});

describe('only the exact success value means verified', () => {
  test.each(['', 'success', 'SUCCESS ', 'SUCCESS,SUCCESS', 'NONE', 'FAILED:SUCCESS', 'GENEROUS', '0', 'true'])(
    '%j is not',
    (value) => {
      expect(read([...cert, 'X-SSL-Client-Verify', value])).toMatchObject({ verification: { result: 'failed' } });
    },
  );

  test('an absent or unconfigured field does not', () => {
    expect(read(cert)).toMatchObject({ verification: { result: 'failed', reason: 'x-ssl-client-verify is absent' } });
    const by: Terminator = { ...terminator, verification: { by: 'countersign', fields: [] } };
    expect(read([...cert, ...success], { by })).toMatchObject({ verification: { result: 'absent' } });
  });
});

describe('a request has no certificate', () => {
  test.each([
    ['without the header', []],
    ['in an empty header', ['X-SSL-Client-Cert', '']],
    ["in Apache's value for no certificate", ['X-SSL-Client-Cert', '(null)']],
    ['in an empty Byte Sequence', ['X-SSL-Client-Cert', '::']],
    ["in nginx' variable unexpanded", ['X-SSL-Client-Cert', '$ssl_client_escaped_cert']],
    ["in Caddy's placeholder unexpanded", ['X-SSL-Client-Cert', '{http.request.tls.client.certificate_der_base64}']],
    [
      "in Caddy's placeholder as a Byte Sequence",
      ['X-SSL-Client-Cert', ':{http.request.tls.client.certificate_der_base64}:'],
    ],
    ["in HAProxy's expression unexpanded", ['X-SSL-Client-Cert', '%[ssl_c_der,base64]']],
    ["in Apache's variable unexpanded", ['X-SSL-Client-Cert', '%{SSL_CLIENT_CERT}s']],
    [
      'in a header with a similar name',
      ['X_SSL_Client_Cert', 'PEM', 'X-SSL-Client-Certs', 'PEM', 'XX-SSL-Client-Cert', 'PEM'],
    ],
    ['in the headers of other formats', ['Client-Cert', ':AAAA:', 'X-Forwarded-Client-Cert', 'Cert=x']],
  ])('%s', (_, headers) => {
    expect(read([...headers, 'X-SSL-Client-Verify', 'NONE'])).toMatchObject({ kind: 'none' });
  });
});

describe('a certificate from an untrusted peer is not accepted', () => {
  const forwarded = [...cert, ...success];
  test.each([
    ['another address', forwarded, { kind: 'address', address: '192.0.2.1' } as const, terminator, '192.0.2.1'],
    [
      'another address, IPv4 mapped',
      forwarded,
      { kind: 'address', address: '::ffff:192.0.2.1' } as const,
      terminator,
      '192.0.2.1',
    ],
    [
      'another address, IPv6',
      forwarded,
      { kind: 'address', address: '2001:db8::1' } as const,
      terminator,
      '2001:db8::1',
    ],
    ['a socket that is closed', forwarded, { kind: 'address', address: 'unknown' } as const, terminator, 'unknown'],
    ['no secret', forwarded, proxy, withSecret, 'sent no'],
    ['no secret over a Unix socket', forwarded, { kind: 'unix' } as const, withSecret, 'sent no'],
    ['another secret', [...forwarded, 'X-Countersign-Proxy-Secret', `${secret}x`], proxy, withSecret, 'does not match'],
    ['an empty secret', [...forwarded, 'X-Countersign-Proxy-Secret', ''], proxy, withSecret, 'does not match'],
    [
      'the secret twice',
      [...forwarded, ...['X-Countersign-Proxy-Secret', secret], ...['x-countersign-proxy-secret', secret]],
      proxy,
      withSecret,
      'repeated',
    ],
    [
      'the secret from elsewhere',
      [...forwarded, 'X-Countersign-Proxy-Secret', secret],
      { kind: 'address', address: '192.0.2.1' } as const,
      withSecret,
      '192.0.2.1',
    ],
  ])('%s', (_, headers, peer, by, reason) => {
    const result = read(headers, { peer, by });
    expect(result.kind).toBe('none');
    expect(result).toMatchObject({ reason: expect.stringContaining(reason) });
    expect(JSON.stringify(result)).not.toContain(secret);
  });
});

describe('a request is rejected', () => {
  test.each([
    ['the certificate twice', [...cert, ...success, 'x-ssl-client-cert', 'PEM'], 'forwarded_header_repeated'],
    ['the certificate and an empty one', [...cert, ...success, 'x-ssl-client-cert', ''], 'forwarded_header_repeated'],
    ['the verification twice', [...cert, ...success, ...success], 'forwarded_header_repeated'],
    ['a successful verification and no certificate', success, 'certificate_lost'],
    ['a successful verification and an empty certificate', ['X-SSL-Client-Cert', '', ...success], 'certificate_lost'],
    [
      'Connection names the certificate',
      [...cert, ...success, 'Connection', 'close, X-SSL-Client-Cert'],
      'header_stripped',
    ],
    [
      'Connection names the verification',
      [...cert, ...success, 'Connection', 'x-ssl-client-verify'],
      'header_stripped',
    ],
    ['Connection names the secret', [...cert, 'Connection', 'X-Countersign-Proxy-Secret'], 'header_stripped'],
    [
      'a second Connection names it',
      [...cert, 'Connection', 'close', 'connection', ' X-Ssl-Client-Cert '],
      'header_stripped',
    ],
    ['early data', [...cert, ...success, 'Early-Data', '1'], 'early_data'],
    ['early data with another value', [...cert, ...success, 'Early-Data', '0'], 'early_data'],
  ] as const)('%s', (_, headers, code) => {
    try {
      read([...headers]);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ForwardingError);
      expect((error as ForwardingError).code).toBe(code);
    }
  });
});

describe('a chain in a header of its own', () => {
  const behind = (name: HeaderFormatName): Terminator => {
    const { certificateHeader, chain }: HeaderFormat = headerFormats[name];
    return { ...terminator, name, certificateHeader, chainHeader: chain?.header };
  };
  const rfc9440 = ['Client-Cert', ':AAAA:'];
  const gcp = ['X-Client-Cert-Leaf', ':AAAA:'];

  test('is one list if it may span lines (RFC 9440)', () => {
    const lines = [...rfc9440, 'Client-Cert-Chain', ':AQ==:', 'client-cert-chain', ':Ag==:'];
    expect(read(lines, { by: behind('rfc9440') })).toMatchObject({ encodedChain: ':AQ==:, :Ag==:' });
  });

  test('may appear only once otherwise', () => {
    const once = [...gcp, 'X-Client-Cert-Chain', ':AQ==:'];
    expect(read(once, { by: behind('gcp-lb') })).toMatchObject({ encodedChain: ':AQ==:' });
    const twice = [...once, 'x-client-cert-chain', ':Ag==:'];
    expect(() => read(twice, { by: behind('gcp-lb') })).toThrow('x-client-cert-chain appears 2 times');
  });

  test('cannot be stripped by a client', () => {
    const stripped = [...rfc9440, 'Connection', 'Client-Cert-Chain'];
    expect(() => read(stripped, { by: behind('rfc9440') })).toThrow('Connection names client-cert-chain');
  });
});

describe('trusted proxies', () => {
  test.each([
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.0/24', '10.1.2.255', true],
    ['10.1.2.0/24', '10.1.3.0', false],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['10.0.0.1, 2001:db8::1', '2001:db8::1', true],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['10.0.0.1', '::ffff:a00:1', true],
    ['10.0.0.1', '::ffff:10.0.0.2', false],
  ])('%s contain %s: %s', (ranges, address, trusted) => {
    const { addresses } = parseTrustedAddresses(ranges);
    const by = {
      ...terminator,
      proxyTrust: { trustedAddresses: addresses, proxySecretDigests: [], proxyCertificateRules: [] },
    };
    expect(read([...cert, ...success], { peer: { kind: 'address', address }, by }).kind).toBe(
      trusted ? 'certificate' : 'none',
    );
  });

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/8/8',
    'proxy.example',
    '10.0.0.1,',
    '10.0.0.0/-1',
    '10.0.0.0/1e1',
  ])('are invalid: %j', (text) =>
    expect(() => parseTrustedAddresses(text)).toThrow(/is not an IP address or a CIDR range/),
  );

  test.each([
    '0.0.0.0/0',
    '::/0',
    '127.0.0.1,0.0.0.0/0',
    '0.0.0.0/1,128.0.0.0/1',
    '8000::/1',
    '::ffff:0:0/96',
    '::ffff:0.0.0.0/97',
  ])('must not include almost every address: %s', (text) =>
    expect(() => parseTrustedAddresses(text)).toThrow(/trusts almost every address/),
  );
});
