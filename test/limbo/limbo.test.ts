import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CertificateOptions, createTestCa } from '../support/certificates.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { readLimboFile } from './limbo-file.ts';
import { runLimboCase } from './run-limbo-case.ts';

const root = createTestCa({ subject: [['CN', 'Root']] });
const intermediate = root.issueIntermediate();
const forServers = root.issueIntermediate({ eku: 'server' });
const server: CertificateOptions = { eku: 'server', dns: ['host.example'] };

const client = {
  id: 'tiny::client',
  features: [],
  description: 'a client below an intermediate',
  validation_kind: 'CLIENT',
  trusted_certs: [root.pem],
  untrusted_intermediates: [intermediate.pem],
  peer_certificate: intermediate.issue().pem,
  validation_time: null,
  signature_algorithms: [],
  key_usage: [],
  extended_key_usage: [],
  expected_result: 'SUCCESS',
  expected_peer_name: null,
  expected_peer_names: [],
  max_chain_depth: null,
  crls: [],
};
const hostPeer = { kind: 'DNS', value: 'host.example' };
const serverCase = { validation_kind: 'SERVER', peer_certificate: intermediate.issue(server).pem };

/** Writes a file of cases, each with these differences from the default one. */
function fileOf(...differences: object[]): string {
  const file = join(temporaryDirectory(), 'limbo.json');
  writeFileSync(
    file,
    JSON.stringify({ version: 1, testcases: differences.map((difference) => ({ ...client, ...difference })) }),
  );
  return file;
}

describe('the result of an x509-limbo case', () => {
  test.each([
    ['with a valid client', {}, 'agreement'],
    ['with an expected rejection', { untrusted_intermediates: [], expected_result: 'FAILURE' }, 'agreement'],
    ['with an unexpected acceptance', { expected_result: 'FAILURE' }, 'wrong acceptance'],
    ['with an unexpected rejection', { untrusted_intermediates: [] }, 'wrong rejection'],
    [
      'at another validation time',
      { validation_time: '2001-01-01T00:00:00Z', expected_result: 'FAILURE' },
      'agreement',
    ],
    ['with a malformed certificate', { peer_certificate: 'none', expected_result: 'FAILURE' }, 'agreement'],
    ['with a client without clientAuth', { peer_certificate: serverCase.peer_certificate }, 'wrong rejection'],
    ['with a server', serverCase, 'agreement'],
    ['with a server and its name', { ...serverCase, expected_peer_name: hostPeer }, 'agreement'],
    ['with a server that is a CA', { ...serverCase, peer_certificate: intermediate.pem }, 'out of scope'],
    [
      'with a server and another name',
      { ...serverCase, expected_peer_name: { ...hostPeer, value: 'other' } },
      'out of scope',
    ],
    ['with a server without serverAuth', { validation_kind: 'SERVER' }, 'out of scope'],
    [
      'with a server below a CA without clientAuth',
      { ...serverCase, untrusted_intermediates: [forServers.pem] },
      'out of scope',
    ],
    ['with a chain depth', { max_chain_depth: 0 }, 'out of scope'],
    ['with a CRL', { crls: ['-----BEGIN X509 CRL-----'] }, 'out of scope'],
  ])('%s', (_, difference, kind) => {
    expect(readLimboFile(fileOf(difference)).map(runLimboCase)).toMatchObject([{ kind }]);
  });
});

test('an x509-limbo file is rejected with another version or a missing certificate', () => {
  const file = join(temporaryDirectory(), 'limbo.json');
  writeFileSync(file, JSON.stringify({ version: 2, testcases: [] }));
  expect(() => readLimboFile(file)).toThrow('version');
  expect(() => readLimboFile(fileOf({ peer_certificate: undefined }))).toThrow('peer_certificate');
});

describe('npm run test:limbo', () => {
  const run = (environment: Record<string, string>) => {
    const env = { PATH: process.env.PATH, ...environment };
    return execFileSync(process.execPath, ['test/limbo/run.ts'], {
      cwd: repositoryRoot,
      env,
      stdio: 'pipe',
    }).toString();
  };

  test('prints a summary and the names of wrong results', () => {
    const wrong = { id: 'tiny::wrong', expected_result: 'FAILURE' };
    const report = run({ COUNTERSIGN_LIMBO: fileOf({}, wrong, { max_chain_depth: 3 }) });
    expect(report).toContain('3 cases, 2 verified, 1 in agreement\n1 wrong acceptances\n  tiny::wrong: path to anchor');
    expect(report).toMatch(
      /0 wrong rejections\n1 out of scope\n {2}1 sets a chain depth.*\nslowest: tiny::\w+, [\d.]+ ms\n$/,
    );
  });

  test('reports the missing setting without a file', () => {
    expect(() => run({})).toThrow('skipped: set COUNTERSIGN_LIMBO');
  });
});
