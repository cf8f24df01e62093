import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { OperatorError } from '../src/errors/operator-error.ts';
import { allSettings, variablesOf } from '../src/settings/table.ts';
import { describeUnknownSetting, findUnknownSettings } from '../src/settings/unknown-settings.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const folder = temporaryDirectory();
const secretFile = (name: string, content: string, mode = 0o600) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
};
const secret = 'x'.repeat(32);
const validConfig = {
  COUNTERSIGN_ISSUER: 'https://auth.example',
  COUNTERSIGN_TERMINATOR: 'nginx',
  COUNTERSIGN_SIGNING_KEY_FILE: secretFile('key.pem', 'a key'),
  COUNTERSIGN_CLIENTS_FILE: 'clients.yaml',
};
const problemsOf = (env: Record<string, string | undefined>): readonly string[] => {
  try {
    readConfig({ ...validConfig, ...env });
  } catch (error) {
    if (error instanceof OperatorError) return error.problems;
    throw error;
  }
  return [];
};

describe('the configuration', () => {
  test('has safe defaults', () => {
    const config = readConfig(validConfig);
    expect(config).toMatchObject({
      issuer: 'https://auth.example',
      mtlsUrl: 'https://auth.example',
      listen: { kind: 'tcp', host: '127.0.0.1', port: 8080 },
      terminator: {
        certificateHeader: 'x-ssl-client-cert',
        chainHeader: undefined,
        verification: { by: 'none', fields: [{ header: 'x-ssl-client-verify', successValue: 'SUCCESS' }] },
      },
      policy: {
        allowSha1Thumbprints: false,
        requireCaPin: false,
        uniqueCertificates: false,
        allowUnboundEdgeTokens: false,
        anchors: [],
        intermediates: [],
      },
      keyring: {
        source: 'file',
        text: 'a key',
        algorithm: undefined,
        setting: 'SIGNING_KEY_FILE',
        files: { paths: [expect.any(String)], first: 'a key' },
        policy: { publishAhead: 86_400_000 },
      },
      unknownSettings: [],
    });
    expect(config.terminator.proxyTrust.trustedAddresses.check('127.0.0.1')).toBe(true);
    expect(config.terminator.proxyTrust.trustedAddresses.check('10.0.0.1')).toBe(false);
  });

  test('warns of an issuer that ends with a slash, which the iss of every token has', () => {
    const slash = {
      ...validConfig,
      COUNTERSIGN_ISSUER: 'https://auth.example/',
      COUNTERSIGN_MTLS_URL: 'https://m.example/',
    };
    const warning = expect.stringMatching(/^COUNTERSIGN_ISSUER: "https:\/\/auth\.example\/" ends with a slash, /);
    expect(readConfig(slash).warnings).toEqual([warning]);
  });

  test('warns if the server listens beyond loopback but trusts only proxies on loopback', () => {
    const beyond = { ...validConfig, COUNTERSIGN_LISTEN: '[::]:8080', COUNTERSIGN_PROXY_SECRET: secret };
    expect(readConfig(beyond).warnings).toEqual([expect.stringContaining('COUNTERSIGN_TRUSTED_PROXIES: is not set')]);
    expect(readConfig({ ...beyond, COUNTERSIGN_TRUSTED_PROXIES: '10.0.0.7' }).warnings).toEqual([]);
    expect(readConfig(validConfig).warnings).toEqual([]);
  });

  test('warns about settings of Redis that have no effect without it', () => {
    const warning = 'COUNTERSIGN_REDIS_TIMEOUT: has no effect without COUNTERSIGN_REDIS_URL';
    expect(readConfig({ ...validConfig, COUNTERSIGN_REDIS_TIMEOUT: '50ms' }).warnings).toEqual([warning]);
    const redis = { ...validConfig, COUNTERSIGN_CLIENTS_FILE: undefined, COUNTERSIGN_REDIS_TIMEOUT: '50ms' };
    const inFile = { COUNTERSIGN_REDIS_URL_FILE: secretFile('redis-url', 'redis://r') };
    expect(readConfig({ ...redis, COUNTERSIGN_REDIS_URL: 'redis://r' }).warnings).toEqual([]);
    expect(readConfig({ ...redis, ...inFile }).warnings).toEqual([]);
  });

  test.each([
    ['a Unix socket', { COUNTERSIGN_LISTEN: 'unix:/run/c.sock' }],
    ['loopback, IPv6', { COUNTERSIGN_LISTEN: '[::1]:0' }],
    ['every address, with a secret', { COUNTERSIGN_LISTEN: '[::]:8080', COUNTERSIGN_PROXY_SECRET: secret }],
    [
      'a secret from a file',
      { COUNTERSIGN_LISTEN: '0.0.0.0:80', COUNTERSIGN_PROXY_SECRET_FILE: secretFile('s', `${secret}\n`) },
    ],
    ['another proxy, with a secret', { COUNTERSIGN_TRUSTED_PROXIES: '10.0.0.0/8', COUNTERSIGN_PROXY_SECRET: secret }],
    ['one port of two hosts', { COUNTERSIGN_OPERATIONS_LISTEN: '[::1]:8080' }],
    ['one port of IPv4 and IPv6', { COUNTERSIGN_LISTEN: '[::1]:8080', COUNTERSIGN_OPERATIONS_LISTEN: '0.0.0.0:8080' }],
    ['two free ports', { COUNTERSIGN_LISTEN: '127.0.0.1:0', COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0' }],
    ['renamed headers', { COUNTERSIGN_CERTIFICATE_HEADER: 'X-Cert', COUNTERSIGN_VERIFY_HEADER: 'X-Verify' }],
    ['chains verified by the verification header', { COUNTERSIGN_CHAIN_VERIFIED_BY: 'header' }],
    ['Redis', { COUNTERSIGN_CLIENTS_FILE: undefined, COUNTERSIGN_REDIS_URL: 'rediss://u:p@redis:6380/2' }],
    ['an empty variable', { COUNTERSIGN_SIGNING_ALG: '' }],
    [
      'variables that Kubernetes adds for a Service',
      { COUNTERSIGN_PORT: 'tcp://10.0.0.1:80', COUNTERSIGN_SERVICE_HOST: '10.0.0.1' },
    ],
  ])('accepts %s', (_, env) => {
    expect(problemsOf(env)).toEqual([]);
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ['no issuer', { COUNTERSIGN_ISSUER: undefined }, 'COUNTERSIGN_ISSUER: is missing'],
    [
      'an issuer that clients would not compare as equal',
      { COUNTERSIGN_ISSUER: 'https://Auth.example' },
      'https://auth.example',
    ],
    [
      'one address for two listeners',
      { COUNTERSIGN_LISTEN: '127.0.0.1:9090' },
      'COUNTERSIGN_OPERATIONS_LISTEN: is the address of COUNTERSIGN_LISTEN: choose another port or socket',
    ],
    [
      'an address that includes that of another listener',
      { COUNTERSIGN_OPERATIONS_LISTEN: '0.0.0.0:8080' },
      'COUNTERSIGN_OPERATIONS_LISTEN: is the address of COUNTERSIGN_LISTEN: choose another port or socket',
    ],
    [
      'the name of the address of another listener',
      { COUNTERSIGN_OPERATIONS_LISTEN: 'localhost:8080' },
      'COUNTERSIGN_OPERATIONS_LISTEN: is the address of COUNTERSIGN_LISTEN: choose another port or socket',
    ],
    [
      'the socket of another listener by another path',
      { COUNTERSIGN_LISTEN: 'unix:/run/a.sock', COUNTERSIGN_OPERATIONS_LISTEN: 'unix:/run/x/../a.sock' },
      'COUNTERSIGN_OPERATIONS_LISTEN: is the address of COUNTERSIGN_LISTEN: choose another port or socket',
    ],
    ['no terminator', { COUNTERSIGN_TERMINATOR: undefined }, 'COUNTERSIGN_TERMINATOR: is missing'],
    ['an unknown terminator', { COUNTERSIGN_TERMINATOR: 'ngnix' }, 'nginx, ingress-nginx'],
    ['no key', { COUNTERSIGN_SIGNING_KEY_FILE: undefined }, 'openssl genpkey'],
    ['a key file that does not exist', { COUNTERSIGN_SIGNING_KEY_FILE: '/nowhere' }, '/nowhere'],
    [
      'a key file that every user can read',
      { COUNTERSIGN_SIGNING_KEY_FILE: secretFile('open.pem', 'k', 0o644) },
      'chmod 600',
    ],
    ['an empty key', { COUNTERSIGN_SIGNING_KEY_FILE: secretFile('empty.pem', ' \n') }, 'empty'],
    ['a key and a key file', { COUNTERSIGN_SIGNING_KEY: 'k' }, 'is set together with COUNTERSIGN_SIGNING_KEY_FILE'],
    ['an unsupported algorithm', { COUNTERSIGN_SIGNING_ALG: 'none' }, 'ES256'],
    ['no clients', { COUNTERSIGN_CLIENTS_FILE: undefined }, 'COUNTERSIGN_CLIENTS_FILE: is missing'],
    ['two sources of clients', { COUNTERSIGN_REDIS_URL: 'redis://r' }, 'one of the two'],
    [
      'an invalid Redis URL',
      { COUNTERSIGN_CLIENTS_FILE: undefined, COUNTERSIGN_REDIS_URL: 'http://:hush@r' },
      'redis://',
    ],
    ['a prefix with a space', { COUNTERSIGN_REDIS_KEY_PREFIX: 'a b' }, 'COUNTERSIGN_REDIS_KEY_PREFIX'],
    [
      'every IPv4 address without a secret',
      { COUNTERSIGN_LISTEN: '0.0.0.0:8080' },
      'COUNTERSIGN_PROXY_SECRET_FILE (or COUNTERSIGN_PROXY_SECRET): is missing',
    ],
    [
      'every IPv6 address without a secret',
      { COUNTERSIGN_LISTEN: '[::]:8080' },
      'COUNTERSIGN_PROXY_SECRET_FILE (or COUNTERSIGN_PROXY_SECRET): is missing',
    ],
    [
      'another proxy without a secret',
      { COUNTERSIGN_TRUSTED_PROXIES: '10.0.0.5' },
      'COUNTERSIGN_PROXY_SECRET_FILE (or COUNTERSIGN_PROXY_SECRET): is missing',
    ],
    [
      'every IPv4 address as trusted proxy',
      { COUNTERSIGN_TRUSTED_PROXIES: '0.0.0.0/0', COUNTERSIGN_PROXY_SECRET: secret },
      'trusts almost every address',
    ],
    [
      'every IPv6 address as trusted proxy',
      { COUNTERSIGN_TRUSTED_PROXIES: '::/0', COUNTERSIGN_PROXY_SECRET: secret },
      'trusts almost every address',
    ],
    ['a short secret', { COUNTERSIGN_PROXY_SECRET: 'x'.repeat(31) }, 'openssl rand'],
    [
      'a secret file that every user can read',
      { COUNTERSIGN_PROXY_SECRET_FILE: secretFile('t', secret, 0o604) },
      'readable by every user',
    ],
    ['a cache too small for one client', { COUNTERSIGN_CLIENT_CACHE_BYTES: '4KiB' }, 'at least 256KiB'],
    ['a cache size with a decimal unit', { COUNTERSIGN_CLIENT_CACHE_BYTES: '64MB' }, 'such as 512KiB'],
    ['a duration without a unit', { COUNTERSIGN_REDIS_TIMEOUT: '80' }, 'such as 80ms'],
    ['an invalid listen address', { COUNTERSIGN_LISTEN: '8080' }, '127.0.0.1:8080'],
    ['a secret that is invalid in a header', { COUNTERSIGN_PROXY_SECRET: `${secret} ä` }, 'non-ASCII'],
    [
      'one header for two purposes',
      { COUNTERSIGN_VERIFY_HEADER: 'X-SSL-Client-Cert' },
      'already used for something else',
    ],
    ['a header with a meaning in HTTP', { COUNTERSIGN_CERTIFICATE_HEADER: 'Connection' }, 'meaning of its own'],
    [
      'the header of the proxy secret as verification header',
      { COUNTERSIGN_VERIFY_HEADER: 'X-Countersign-Proxy-Secret' },
      'meaning of its own',
    ],
    [
      'a Redis URL without slashes',
      { COUNTERSIGN_CLIENTS_FILE: undefined, COUNTERSIGN_REDIS_URL: 'redis::hush@r:6379' },
      'redis://',
    ],
    ['a Redis URL without host', { COUNTERSIGN_CLIENTS_FILE: undefined, COUNTERSIGN_REDIS_URL: 'redis:///1' }, 'host'],
    [
      'an invalid Redis database',
      { COUNTERSIGN_CLIENTS_FILE: undefined, COUNTERSIGN_REDIS_URL: 'redis://:hush@r/abc' },
      'database',
    ],
    [
      'an invalid Redis database of a Unix socket',
      { COUNTERSIGN_CLIENTS_FILE: undefined, COUNTERSIGN_REDIS_URL: 'unix:///r?db=x' },
      'database',
    ],
    ['an invalid header name', { COUNTERSIGN_CERTIFICATE_HEADER: 'X Cert' }, 'header name'],
    [
      'verification by the server without CA certificates',
      { COUNTERSIGN_CHAIN_VERIFIED_BY: 'countersign' },
      'CLIENT_CA_FILE: is missing',
    ],
    ['an invalid boolean', { COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS: 'yes' }, 'true, false'],
  ])('rejects %s', (_, env, message) => {
    const problems = problemsOf(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
    expect(problems[0]).toMatch(/^COUNTERSIGN_[A-Z0-9_]+:? /);
    expect(problems[0]).not.toContain('hush');
  });

  test.each([
    ['COUNTERSIGN_ISUER', 'did you mean COUNTERSIGN_ISSUER?'],
    ['COUNTERSIGN_ISSUER_FILE', 'did you mean COUNTERSIGN_ISSUER?'],
    ['COUNTERSIGN_BASE_ADDRESS', 'see countersign serve --help'],
  ])('names %s if the issuer is missing', (name, hint) => {
    expect(problemsOf({ COUNTERSIGN_ISSUER: undefined, [name]: 'https://auth.example' })).toEqual([
      expect.stringMatching(/^COUNTERSIGN_ISSUER: is missing: /),
      `unknown setting ${name} has no effect (${hint})`,
    ]);
  });

  test('reports every problem at once', () => {
    const problems = (() => {
      try {
        readConfig({ COUNTERSIGN_LISTEN: 'x', COUNTERSIGN_SIGNING_ALG: 'y' });
        return [];
      } catch (error) {
        return (error as OperatorError).problems.map((problem) => problem.split(/[ :]/)[0]);
      }
    })();
    expect(problems.sort()).toEqual([
      'COUNTERSIGN_CLIENTS_FILE',
      'COUNTERSIGN_ISSUER',
      'COUNTERSIGN_LISTEN',
      'COUNTERSIGN_SIGNING_ALG',
      'COUNTERSIGN_SIGNING_KEY_FILE',
      'COUNTERSIGN_TERMINATOR',
    ]);
  });

  test('reports unknown settings', () => {
    const { unknownSettings } = readConfig({ ...validConfig, COUNTERSIGN_ISSUR: 'x', OTHER: 'y' });
    expect(unknownSettings).toEqual([{ name: 'COUNTERSIGN_ISSUR', suggestion: 'COUNTERSIGN_ISSUER' }]);
  });
});

describe('an unknown setting', () => {
  const suggestionFor = (name: string) => findUnknownSettings({ [name]: 'x' }).map(({ suggestion }) => suggestion);

  test.each(allSettings.flatMap(variablesOf))('is not COUNTERSIGN_%s, which is in the table', (name) => {
    expect(findUnknownSettings({ [`COUNTERSIGN_${name}`]: 'x' })).toEqual([]);
  });

  test.each([
    ['COUNTERSIGN_REDIS_KEYPREFIX', 'COUNTERSIGN_REDIS_KEY_PREFIX'],
    ['COUNTERSIGN_CRL_MOD', 'COUNTERSIGN_CRL_MODE'],
    ['COUNTERSIGN_TRUSTED_PROXY', 'COUNTERSIGN_TRUSTED_PROXIES'],
    ['COUNTERSIGN_SIGNING_KEY_FIEL', 'COUNTERSIGN_SIGNING_KEY_FILE'],
    ['COUNTERSIGN_SIGNIN_KEY', 'COUNTERSIGN_SIGNING_KEY'],
    ['COUNTERSIGN_REVOCATION', 'COUNTERSIGN_CRL_MODE'],
    ['COUNTERSIGN_CLIENT_CACHE_LIFETIME', 'COUNTERSIGN_CLIENT_CACHE_MAX_AGE'],
    ['COUNTERSIGN_CLIENT_CACHE_REFRESH', 'COUNTERSIGN_CLIENT_CACHE_REFRESH_AFTER'],
    ['COUNTERSIGN_PROXY_NAMES', 'COUNTERSIGN_PROXY_SANS'],
    ['COUNTERSIGN_VERDICT_HEADER', 'COUNTERSIGN_VERIFY_HEADER'],
    ['COUNTERSIGN_FAVOURITE_COLOUR', undefined],
  ])('%s is reported with the suggestion %s', (name, suggestion) => {
    expect(suggestionFor(name)).toEqual([suggestion]);
  });

  test('is described with its suggestion, or with where to look', () => {
    const name = 'COUNTERSIGN_CRL_MOD';
    expect(describeUnknownSetting({ name, suggestion: 'COUNTERSIGN_CRL_MODE' })).toBe(
      'unknown setting COUNTERSIGN_CRL_MOD has no effect (did you mean COUNTERSIGN_CRL_MODE?)',
    );
    expect(describeUnknownSetting({ name, suggestion: undefined })).toContain('countersign serve --help');
  });

  test.each(['COUNTERSIGN_PORT', 'COUNTERSIGN_SERVICE_HOST', 'COUNTERSIGN_PORT_8080_TCP_ADDR'])(
    'is not %s, which Kubernetes adds for a Service',
    (name) => {
      expect(findUnknownSettings({ [name]: 'tcp://10.0.0.1:80' })).toEqual([]);
    },
  );
});
