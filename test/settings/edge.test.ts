import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, readConfig } from '../../src/config.ts';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { createTestCa, selfSigned, thumbprintOf } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};
const server = selfSigned({ eku: 'server', dns: ['edge.example'] });
const environment = {
  COUNTERSIGN_ISSUER: 'https://auth.example',
  COUNTERSIGN_TERMINATOR: 'nginx',
  COUNTERSIGN_SIGNING_KEY_FILE: file('key.pem', 'a key'),
  COUNTERSIGN_CLIENTS_FILE: 'clients.yaml',
};
const clientCa = { COUNTERSIGN_CLIENT_CA_FILE: file('ca.pem', createTestCa().pem) };
const https = {
  COUNTERSIGN_TLS_CERTIFICATE_FILE: file('server.pem', server.pem),
  COUNTERSIGN_TLS_KEY_FILE: file('server-key.pem', server.privateKeyPem),
};
const secret = { COUNTERSIGN_PROXY_SECRET: 'x'.repeat(32) };
const pinned = { COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS: thumbprintOf(selfSigned().der) };

type Variables = Readonly<Record<string, string>>;
const configOf = (env: Variables): Config => readConfig({ ...environment, ...env });
const problemsOf = (env: Variables): readonly string[] => {
  try {
    configOf(env);
  } catch (error) {
    if (error instanceof OperatorError) return error.problems;
    throw error;
  }
  return [];
};
const listen = (address: string) => ({ COUNTERSIGN_EDGE_LISTEN: address });

describe('the edge is off', () => {
  test.each([
    ['by default', {}],
    ['as configured', listen('off')],
    ['with an empty setting', listen('')],
  ])('%s', (_, env) => {
    expect(configOf(env).edge).toBeUndefined();
  });

  test('and its terminator then has no effect, with a warning', () => {
    const { edge, warnings } = configOf({ COUNTERSIGN_EDGE_TERMINATOR: 'envoy' });
    expect(edge).toBeUndefined();
    expect(warnings).toEqual(['COUNTERSIGN_EDGE_TERMINATOR: has no effect without COUNTERSIGN_EDGE_LISTEN']);
  });
});

describe('the terminator of the edge', () => {
  test('is that of the public listener by default, with its renamed headers', () => {
    const { edge, terminator } = configOf({ ...listen('127.0.0.1:8081'), COUNTERSIGN_CERTIFICATE_HEADER: 'X-Cert' });
    const { name, verification } = terminator;
    expect(edge?.terminator).toMatchObject({ name, verification, certificateHeader: 'x-cert' });
  });

  test.each([
    ['COUNTERSIGN_TERMINATOR', {}],
    ['the same', { COUNTERSIGN_EDGE_TERMINATOR: 'envoy' }],
  ])('that is %s has a warning if it is declared to admit only verified certificates', (_, env) => {
    const declared = { COUNTERSIGN_TERMINATOR: 'envoy', COUNTERSIGN_CHAIN_VERIFIED_BY: 'terminator' };
    expect(configOf(declared).warnings).toEqual([]);
    expect(configOf({ ...declared, ...env, ...listen('127.0.0.1:8081') }).warnings).toEqual([
      'COUNTERSIGN_CHAIN_VERIFIED_BY: is terminator, so the proxies at COUNTERSIGN_EDGE_LISTEN must admit only verified ' +
        'certificates as well: set COUNTERSIGN_CLIENT_CA_FILE instead, unless each of them does',
    ]);
  });

  test('keeps its renamed headers if it is named again', () => {
    const env = { ...listen('127.0.0.1:8081'), COUNTERSIGN_EDGE_TERMINATOR: 'nginx', COUNTERSIGN_VERIFY_HEADER: 'X-V' };
    expect(configOf(env).edge?.terminator.verification.fields).toEqual([{ header: 'x-v', successValue: 'SUCCESS' }]);
  });

  test('has the usual headers of its format if it is another one', () => {
    const renamed = { COUNTERSIGN_CERTIFICATE_HEADER: 'X-Cert', COUNTERSIGN_VERIFY_HEADER: 'X-Verify' };
    const other = { ...listen('127.0.0.1:8081'), COUNTERSIGN_EDGE_TERMINATOR: 'haproxy' };
    const { edge, terminator } = configOf({ ...renamed, ...other, ...clientCa });
    expect(terminator.certificateHeader).toBe('x-cert');
    expect(edge?.terminator).toMatchObject({
      name: 'haproxy',
      certificateHeader: 'x-ssl-client-cert',
      chainHeader: 'x-ssl-client-chain',
      verification: { by: 'countersign', fields: [{ header: 'x-ssl-client-verify', successValue: '0' }] },
    });
  });

  test('verifies no chains without a CA of this server', () => {
    const { edge } = configOf({ ...listen('127.0.0.1:8081'), COUNTERSIGN_EDGE_TERMINATOR: 'envoy' });
    expect(edge?.terminator.verification).toMatchObject({ by: 'none' });
  });

  test('may report its verification in its own header, as declared', () => {
    const declared = { COUNTERSIGN_CHAIN_VERIFIED_BY: 'header', COUNTERSIGN_EDGE_TERMINATOR: 'haproxy' };
    const { edge } = configOf({ ...listen('127.0.0.1:8081'), ...declared });
    expect(edge?.terminator.verification).toEqual({
      by: 'header',
      fields: [{ header: 'x-ssl-client-verify', successValue: '0' }],
    });
  });

  test.each([
    ['terminator', 'haproxy', /^COUNTERSIGN_CHAIN_VERIFIED_BY: is terminator, which cannot apply to haproxy/],
    ['header', 'envoy', /^COUNTERSIGN_CHAIN_VERIFIED_BY: is header, which cannot apply to envoy .*CLIENT_CA_FILE/],
  ])('may not be another one while chains are declared to be verified by the %s', (declared, name, problem) => {
    const env = { COUNTERSIGN_CHAIN_VERIFIED_BY: declared, COUNTERSIGN_EDGE_TERMINATOR: name };
    expect(problemsOf({ ...listen('127.0.0.1:8081'), ...env })).toEqual([expect.stringMatching(problem)]);
  });

  test('must be a known one', () => {
    const env = { ...listen('127.0.0.1:8081'), COUNTERSIGN_EDGE_TERMINATOR: 'ngnix' };
    expect(problemsOf(env)).toEqual([expect.stringMatching(/^COUNTERSIGN_EDGE_TERMINATOR: "ngnix" is not one of:/)]);
  });
});

describe('the address of the edge', () => {
  test.each([
    ['is not an address', listen('8081'), 'COUNTERSIGN_EDGE_LISTEN: "8081" is not a listen address'],
    ['is that of the public listener', listen('127.0.0.1:8080'), 'is the address of COUNTERSIGN_LISTEN'],
    ['is that of the operations listener', listen('127.0.0.1:9090'), 'is the address of COUNTERSIGN_OPERATIONS_LISTEN'],
    [
      'is included in that of the public listener',
      { ...listen('127.0.0.1:8443'), COUNTERSIGN_LISTEN: '[::]:8443', COUNTERSIGN_PROXY_SECRET: 'x'.repeat(32) },
      'is the address of COUNTERSIGN_LISTEN',
    ],
    [
      'is the socket of the public listener',
      { ...listen('unix:/run/a.sock'), COUNTERSIGN_LISTEN: 'unix:/run/a.sock' },
      'COUNTERSIGN_EDGE_LISTEN: is the address of COUNTERSIGN_LISTEN: choose another port or socket',
    ],
  ])('is rejected if it %s', (_, env, problem) => {
    expect(problemsOf(env)).toEqual([expect.stringContaining(problem)]);
  });

  test.each([
    ['another port', listen('127.0.0.1:8081')],
    ['another host', listen('[::1]:8080')],
    ['any free port', { ...listen('127.0.0.1:0'), COUNTERSIGN_LISTEN: '127.0.0.1:0' }],
    ['a socket', listen('unix:/run/edge.sock')],
    [
      'the port of an operations listener that is off',
      { ...listen('127.0.0.1:9090'), COUNTERSIGN_OPERATIONS_LISTEN: 'off' },
    ],
  ])('may be %s', (_, env) => {
    expect(problemsOf(env)).toEqual([]);
  });
});

describe('the proxy of the edge is trusted by the rules of the public listener:', () => {
  test('beyond loopback, it must prove who it is', () => {
    expect(problemsOf(listen('0.0.0.0:8081'))).toEqual([
      expect.stringMatching(
        /^COUNTERSIGN_PROXY_SECRET_FILE .*: COUNTERSIGN_EDGE_LISTEN is not loopback, so the proxy must/,
      ),
    ]);
  });

  test('a warning about what both listeners use is one', () => {
    const expired = selfSigned({ eku: 'server', dns: ['edge.example'], notAfter: new Date(Date.now() - 1) });
    const env = {
      COUNTERSIGN_TLS_CERTIFICATE_FILE: file('expired.pem', expired.pem),
      COUNTERSIGN_TLS_KEY_FILE: file('expired-key.pem', expired.privateKeyPem),
    };
    expect(configOf({ ...listen('127.0.0.1:8443'), ...env }).warnings).toHaveLength(1);
  });

  test('beyond loopback, a warning reports that only loopback is trusted', () => {
    expect(configOf({ ...listen('0.0.0.0:8081'), ...secret }).warnings).toEqual([
      expect.stringContaining('COUNTERSIGN_TRUSTED_PROXIES: is not set: COUNTERSIGN_EDGE_LISTEN is not loopback'),
    ]);
  });

  test('with a certificate of the proxy, it is served over HTTPS', () => {
    const { edge, listen: publicListen } = configOf({ ...listen('127.0.0.1:8443'), ...https, ...pinned });
    expect(edge?.listen).toMatchObject({ kind: 'tls', tls: { peerCaCertificates: [] } });
    expect(edge?.listen.kind).toBe(publicListen.kind);
    expect(edge?.terminator.proxyTrust.proxyCertificateRules).toHaveLength(1);
  });

  test('with HTTPS, it cannot be a socket', () => {
    expect(problemsOf({ ...listen('unix:/run/edge.sock'), ...https })).toEqual([
      expect.stringMatching(/^COUNTERSIGN_TLS_CERTIFICATE_FILE: .*set COUNTERSIGN_EDGE_LISTEN like 127.0.0.1:8443/),
      expect.stringMatching(/^COUNTERSIGN_TLS_KEY_FILE: .*set COUNTERSIGN_EDGE_LISTEN like 127.0.0.1:8443/),
    ]);
  });

  test('it sends the same secret', () => {
    const { edge, terminator } = configOf({ ...listen('127.0.0.1:8081'), ...secret });
    const { proxySecretDigests } = terminator.proxyTrust;
    expect(proxySecretDigests).toHaveLength(1);
    expect(edge?.terminator.proxyTrust.proxySecretDigests).toEqual(proxySecretDigests);
  });
});

test('problems of the edge are reported together with others', () => {
  const env = { ...listen('x'), COUNTERSIGN_EDGE_TERMINATOR: 'y', COUNTERSIGN_ISSUER: 'z' };
  expect(problemsOf(env)).toHaveLength(3);
});
