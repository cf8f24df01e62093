import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { openssl } from '../support/openssl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string | Uint8Array, mode = 0o600) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
};

const ca = createTestCa({ subject: [['CN', 'Proxy CA']] });
const intermediate = ca.issueIntermediate();
const server = ca.issue({ eku: 'server', dns: ['countersign.internal'], subject: [['CN', 'countersign']] });
const { thumbprint } = server;
const written = server.writeTo(folder, 'server');
const weak = selfSigned({ keyType: 'rsa-1024' }).writeTo(folder, 'weak');
const chained = file('chained.pem', `The server:\n${server.pem}${ca.pem}`);
const upsideDown = file('upside-down.pem', ca.pem + server.pem);
const caFile = file('ca.pem', ca.pem, 0o644);
const encrypted = file('encrypted.pem', await openssl(['pkey', '-aes256', '-passout', 'pass:x'], server.privateKeyPem));

const secret = 'x'.repeat(32);
const next = 'y'.repeat(32);
const validConfig = {
  COUNTERSIGN_ISSUER: 'https://auth.example',
  COUNTERSIGN_TERMINATOR: 'nginx',
  COUNTERSIGN_SIGNING_KEY: 'a key',
  COUNTERSIGN_CLIENTS_FILE: 'clients.yaml',
};
const https = { COUNTERSIGN_TLS_CERTIFICATE_FILE: written.cert, COUNTERSIGN_TLS_KEY_FILE: written.key };
const pinned = { ...https, COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: thumbprint };
const byCa = { ...https, COUNTERSIGN_PROXY_CA_FILE: caFile, COUNTERSIGN_PROXY_SANS: 'gw.internal' };
const beyond = { COUNTERSIGN_LISTEN: '[::]:8443', COUNTERSIGN_TRUSTED_PROXIES: '10.0.0.0/24' };
const unix = { COUNTERSIGN_LISTEN: 'unix:/run/c.sock' };

type Environment = Record<string, string | undefined>;
const read = (env: Environment) => readConfig({ ...validConfig, ...env });
const problemsOf = (env: Environment): readonly string[] => {
  try {
    read(env);
  } catch (error) {
    if (error instanceof OperatorError) return error.problems;
    throw error;
  }
  return [];
};

const certificates = {
  byThumbprint: `proxy certificate (thumbprint ${thumbprint})`,
  byCa: 'of CA "CN=Proxy CA" for gw.internal',
};

describe('the authentication of the proxy', () => {
  test.each<[string, Environment, string]>([
    ['no setting', {}, 'trusted proxies: loopback'],
    ['one secret', { COUNTERSIGN_PROXY_SECRET: ` ${secret}\n` }, 'trusted proxies: loopback with proxy secret'],
    [
      'two secrets, one per line',
      { COUNTERSIGN_PROXY_SECRET_FILE: file('two', `${secret}\n${next}\n`) },
      'trusted proxies: loopback with two proxy secrets (rotation)',
    ],
    [
      'two secrets over a Unix socket',
      { ...unix, COUNTERSIGN_PROXY_SECRET: `${secret} ${next}` },
      'Unix socket with two proxy secrets (rotation)',
    ],
    ['HTTPS', https, 'trusted proxies: loopback'],
    ['HTTPS with a chain', { ...https, COUNTERSIGN_TLS_CERTIFICATE_FILE: chained }, 'trusted proxies: loopback'],
    [
      'HTTPS with the key in the variable',
      { ...https, COUNTERSIGN_TLS_KEY_FILE: undefined, COUNTERSIGN_TLS_KEY: server.privateKeyPem },
      'trusted proxies: loopback',
    ],
    [
      'HTTPS beyond loopback with a secret',
      { ...https, ...beyond, COUNTERSIGN_PROXY_SECRET: secret },
      'trusted proxies: 10.0.0.0/24 with proxy secret',
    ],
    [
      'a pinned certificate',
      { ...pinned, ...beyond },
      `trusted proxies: 10.0.0.0/24 with ${certificates.byThumbprint}`,
    ],
    [
      'two pinned certificates in other spellings of the thumbprint',
      {
        ...pinned,
        COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: `${Buffer.from(thumbprint, 'base64url').toString('hex')} , ${ca.thumbprint}=`,
      },
      `trusted proxies: loopback with proxy certificate (thumbprint ${thumbprint} or ${ca.thumbprint})`,
    ],
    [
      'a CA and a name',
      { ...byCa, ...beyond },
      `trusted proxies: 10.0.0.0/24 with proxy certificate ${certificates.byCa}`,
    ],
    [
      'two CAs and two names',
      {
        ...byCa,
        COUNTERSIGN_PROXY_CA_FILE: file('cas.pem', ca.pem + intermediate.pem),
        COUNTERSIGN_PROXY_SANS: 'GW.internal, spiffe://mesh/gw',
      },
      'of CA "CN=Proxy CA" or "CN=Test intermediate CA" for GW.internal or spiffe://mesh/gw',
    ],
    [
      'everything',
      { ...pinned, ...byCa, ...beyond, COUNTERSIGN_PROXY_SECRET: secret },
      `trusted proxies: 10.0.0.0/24 with proxy secret and ${certificates.byThumbprint} ${certificates.byCa}`,
    ],
  ])('accepts and describes %s', (_, env, description) => {
    expect(read(env).proxyTrustDescription).toContain(description);
  });

  test('listens for HTTP without a certificate, and for HTTPS with one', () => {
    expect(read({}).listen).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 8080 });
    const tls = { certificatePem: server.pem, privateKeyPem: server.privateKeyPem.trim() };
    const address = { kind: 'tls', host: '127.0.0.1', port: 8080 };
    expect(read(https).listen).toEqual({ ...address, tls: { ...tls, peerCaCertificates: undefined } });
    expect(read(pinned).listen).toEqual({ ...address, tls: { ...tls, peerCaCertificates: [] } });
    expect(read(byCa).listen).toEqual({ ...address, tls: { ...tls, peerCaCertificates: [ca.pem] } });
    const withChain = read({ ...https, COUNTERSIGN_TLS_CERTIFICATE_FILE: chained }).listen;
    expect(withChain).toMatchObject({ tls: { certificatePem: server.pem + ca.pem } });
  });
});

/** The variable that the one problem names, and a part of its message. */
type Rejected = [title: string, env: Environment, setting: string, message: string];

const secrets: Rejected[] = [
  ['a short one', { COUNTERSIGN_PROXY_SECRET: 'x'.repeat(31) }, 'PROXY_SECRET', 'openssl rand'],
  [
    'a short one beside a long one',
    { COUNTERSIGN_PROXY_SECRET: `${secret}\nshort` },
    'PROXY_SECRET',
    'shorter than 32',
  ],
  [
    'a long one beside a short one',
    { COUNTERSIGN_PROXY_SECRET: `short\n${secret}` },
    'PROXY_SECRET',
    'shorter than 32',
  ],
  [
    'a broken one',
    { COUNTERSIGN_PROXY_SECRET: `${'x'.repeat(20)} ${'y'.repeat(20)}` },
    'PROXY_SECRET',
    'shorter than 32',
  ],
  ['three', { COUNTERSIGN_PROXY_SECRET: `${secret} ${next} ${secret}z` }, 'PROXY_SECRET', 'more than two'],
  ['the same one twice', { COUNTERSIGN_PROXY_SECRET: `${secret}\n${secret}` }, 'PROXY_SECRET', 'the same secret twice'],
  ['one that is invalid in a header', { COUNTERSIGN_PROXY_SECRET: `${next} ${secret}ä` }, 'PROXY_SECRET', 'non-ASCII'],
  ['a no-break space', { COUNTERSIGN_PROXY_SECRET: `${next}\u00a0${secret}` }, 'PROXY_SECRET', 'non-ASCII'],
  ['white space only', { COUNTERSIGN_PROXY_SECRET: ' \n ' }, 'PROXY_SECRET', 'contains no secret'],
  [
    'a file that every user can read',
    { COUNTERSIGN_PROXY_SECRET_FILE: file('open', `${secret}\n${next}`, 0o604) },
    'PROXY_SECRET_FILE',
    'is readable by every user: run chmod 600',
  ],
  ['none', beyond, 'PROXY_SECRET_FILE', 'is missing: COUNTERSIGN_LISTEN is not loopback, so the proxy must present'],
  ['none, but HTTPS', { ...https, ...beyond }, 'PROXY_SECRET_FILE', 'or a certificate of its own'],
];

const ownCertificates: Rejected[] = [
  ['no key', { ...https, COUNTERSIGN_TLS_KEY_FILE: undefined }, 'TLS_KEY_FILE', 'is missing'],
  ['no certificate', { ...https, COUNTERSIGN_TLS_CERTIFICATE_FILE: '' }, 'TLS_CERTIFICATE_FILE', 'is missing'],
  [
    'no file',
    { ...https, COUNTERSIGN_TLS_CERTIFICATE_FILE: '/nowhere' },
    'TLS_CERTIFICATE_FILE',
    '/nowhere cannot be read: no such file or directory',
  ],
  [
    'a folder',
    { ...https, COUNTERSIGN_TLS_CERTIFICATE_FILE: folder },
    'TLS_CERTIFICATE_FILE',
    'cannot be read: it is a folder, not a file',
  ],
  [
    'the key in its place',
    { ...https, COUNTERSIGN_TLS_CERTIFICATE_FILE: written.key },
    'TLS_CERTIFICATE_FILE',
    `${written.key}: contains no certificate, neither PEM nor DER; it contains a private key`,
  ],
  [
    'a malformed certificate',
    { ...https, COUNTERSIGN_TLS_CERTIFICATE_FILE: file('x.pem', server.pem.replace('MII', 'MIJ')) },
    'TLS_CERTIFICATE_FILE',
    'x.pem: certificate 1 is invalid: not DER',
  ],
  [
    'a truncated PEM',
    { ...https, COUNTERSIGN_TLS_CERTIFICATE_FILE: file('half.pem', server.pem.slice(0, 200)) },
    'TLS_CERTIFICATE_FILE',
    'half.pem: line 1: -----BEGIN CERTIFICATE----- without an END line after it',
  ],
  ['the certificate as the key', { ...https, COUNTERSIGN_TLS_KEY_FILE: written.cert }, 'TLS_KEY_FILE', 'every user'],
  [
    'the certificate as the key, not readable by others',
    { ...https, COUNTERSIGN_TLS_KEY_FILE: file('closed.pem', server.pem) },
    'TLS_KEY_FILE',
    'contains no private key in PEM; it contains a certificate',
  ],
  [
    'an encrypted key',
    { ...https, COUNTERSIGN_TLS_KEY_FILE: encrypted },
    'TLS_KEY_FILE',
    'contains an encrypted private key: decrypt it',
  ],
  [
    'a key file that every user can read',
    { ...https, COUNTERSIGN_TLS_KEY_FILE: file('o', server.privateKeyPem, 0o644) },
    'TLS_KEY_FILE',
    'is readable by every user: run chmod 600',
  ],
  [
    'a key and a key file',
    { ...https, COUNTERSIGN_TLS_KEY: server.privateKeyPem },
    'TLS_KEY',
    'is set together with COUNTERSIGN_TLS_KEY_FILE',
  ],
  [
    'the key of another certificate',
    { ...https, COUNTERSIGN_TLS_KEY_FILE: ca.writeTo(folder, 'other').key },
    'TLS_KEY_FILE',
    `is not the key of CN=countersign, the first certificate in ${written.cert}`,
  ],
  [
    'a chain with the CA first',
    { ...https, COUNTERSIGN_TLS_CERTIFICATE_FILE: upsideDown },
    'TLS_KEY_FILE',
    'is not the key of CN=Proxy CA, the first certificate in',
  ],
  [
    'a key that is too weak for OpenSSL',
    { COUNTERSIGN_TLS_CERTIFICATE_FILE: weak.cert, COUNTERSIGN_TLS_KEY_FILE: weak.key },
    'TLS_KEY_FILE',
    `cannot be used with CN=client in ${weak.cert}: the key of the certificate is too short`,
  ],
];

const proxyCertificates: Rejected[] = [
  ...['x', '', `${thumbprint},`, thumbprint.slice(1), `${thumbprint} ${thumbprint}`].map((text): Rejected => {
    const message = text === '' ? 'is missing' : 'not a thumbprint';
    const setting = text === '' ? 'PROXY_SECRET_FILE' : 'PROXY_CERTIFICATE_THUMBPRINTS';
    return [
      `thumbprints "${text}"`,
      { ...pinned, ...beyond, COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: text },
      setting,
      message,
    ];
  }),
  [
    'a SHA-1 thumbprint',
    { ...pinned, COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: `${thumbprint}, ${'ab'.repeat(20)}` },
    'PROXY_CERTIFICATE_THUMBPRINTS',
    `"${'ab'.repeat(20)}": a SHA-1 thumbprint; use the one that openssl`,
  ],
  [
    'a CA without names',
    { ...byCa, COUNTERSIGN_PROXY_SANS: undefined },
    'PROXY_SANS',
    'is missing: without it, every certificate of COUNTERSIGN_PROXY_CA_FILE would be a trusted proxy',
  ],
  ['names without a CA', { ...byCa, COUNTERSIGN_PROXY_CA_FILE: undefined }, 'PROXY_CA_FILE', 'is missing: anyone can'],
  [
    'names without a CA, beside a thumbprint',
    { ...pinned, COUNTERSIGN_PROXY_SANS: 'gw' },
    'PROXY_CA_FILE',
    'is missing',
  ],
  ...['*.internal', 'gw.internal.', 'gw internal', 'a,', '10.0.0.1', '::1', 'fe80::1', 'CN=gw', 'gw:x y'].map(
    (text): Rejected => [
      `the name "${text}"`,
      { ...byCa, COUNTERSIGN_PROXY_SANS: text },
      'PROXY_SANS',
      `"${text.split(',').at(-1)}": `,
    ],
  ),
  [
    'a CA file that does not exist',
    { ...byCa, COUNTERSIGN_PROXY_CA_FILE: '/nowhere' },
    'PROXY_CA_FILE',
    '/nowhere cannot be read',
  ],
  [
    'a CA file with a certificate that is not a CA certificate',
    { ...byCa, COUNTERSIGN_PROXY_CA_FILE: file('leaf.pem', ca.pem + selfSigned().pem) },
    'PROXY_CA_FILE',
    'leaf.pem: CN=client is not a CA certificate; to trust a single certificate, put its thumbprint',
  ],
  [
    'a CA file with a key whose chains end the process of Node',
    {
      ...byCa,
      COUNTERSIGN_PROXY_CA_FILE: file('brainpool.pem', ca.pem + createTestCa({ keyType: 'ec-brainpool-p256r1' }).pem),
    },
    'PROXY_CA_FILE',
    'brainpool.pem: CN=Test CA has a key on the curve brainpoolP256r1; of proxies, only RSA, Ed25519, P-256',
  ],
  [
    'a CA file without a root',
    { ...byCa, COUNTERSIGN_PROXY_CA_FILE: file('intermediate.pem', intermediate.pem) },
    'PROXY_CA_FILE',
    'intermediate.pem contains only intermediates',
  ],
];

const withoutHttps: Rejected[] = [
  ['thumbprints', { COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: thumbprint }, 'TLS_CERTIFICATE_FILE', 'over HTTPS only'],
  [
    'a CA and names',
    { COUNTERSIGN_PROXY_CA_FILE: caFile, COUNTERSIGN_PROXY_SANS: 'gw' },
    'TLS_CERTIFICATE_FILE',
    'is missing: the proxy can present the certificate of COUNTERSIGN_PROXY_CA_FILE over HTTPS only',
  ],
  [
    'thumbprints, on a Unix socket',
    { ...unix, COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: thumbprint },
    'PROXY_CERTIFICATE_THUMBPRINTS',
    'requires an HTTPS listener: remove it, or set COUNTERSIGN_LISTEN like',
  ],
];

describe.each([
  ['the proxy secret', secrets],
  ["the listener's certificate", ownCertificates],
  ["the proxy's certificate", proxyCertificates],
  ["the proxy's certificate, without HTTPS", withoutHttps],
])('%s', (_, rows) => {
  test.each(rows)('is rejected: %s', (_title, env, setting, message) => {
    const problems = problemsOf(env);
    expect(problems).toEqual([expect.stringContaining(message)]);
    expect(problems[0]).toMatch(new RegExp(`^COUNTERSIGN_${setting}( \\(or \\w+\\))?(:| is| requires) `));
    expect(problems[0]).not.toMatch(/x{20}|y{20}|PRIVATE KEY/);
  });
});

test('every HTTPS setting is rejected for a Unix socket, all at once', () => {
  const problems = problemsOf({ ...pinned, ...byCa, ...unix });
  const names = [
    'TLS_CERTIFICATE_FILE',
    'TLS_KEY_FILE',
    'PROXY_CERTIFICATE_THUMBPRINTS',
    'PROXY_CA_FILE',
    'PROXY_SANS',
  ];
  expect(problems.map((problem) => problem.split(/[ :]/)[0])).toEqual(names.map((name) => `COUNTERSIGN_${name}`));
});

test('every problem of the proxy settings is reported at once', () => {
  const problems = problemsOf({
    COUNTERSIGN_LISTEN: '0.0.0.0:8443',
    COUNTERSIGN_TRUSTED_PROXIES: '0.0.0.0/0',
    COUNTERSIGN_PROXY_SECRET: 'short',
    COUNTERSIGN_TLS_CERTIFICATE_FILE: '/nowhere',
    COUNTERSIGN_TLS_KEY_FILE: '/nowhere',
    COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: 'x',
    COUNTERSIGN_PROXY_CA_FILE: '/nowhere',
    COUNTERSIGN_PROXY_SANS: '*',
  });
  expect(problems).toHaveLength(7);
});
