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

/** A file of these cases, each of which differs so from the first. */
function fileOf(...differences: object[]): string {
  const file = join(temporaryDirectory(), 'limbo.json');
  writeFileSync(file, JSON.stringify({ version: 1, testcases: differences.map((one) => ({ ...client, ...one })) }));
  return file;
}

describe('a case of x509-limbo is judged as a client is', () => {
  test.each([
    ['in order', {}, 'agreement'],
    ['refused, as expected', { untrusted_intermediates: [], expected_result: 'FAILURE' }, 'agreement'],
    ['accepted, and should not be', { expected_result: 'FAILURE' }, 'wrong acceptance'],
    ['refused, and should not be', { untrusted_intermediates: [] }, 'wrong refusal'],
    ['at another time', { validation_time: '2001-01-01T00:00:00Z', expected_result: 'FAILURE' }, 'agreement'],
    ['not a certificate', { peer_certificate: 'none', expected_result: 'FAILURE' }, 'agreement'],
    ['a client for servers', { peer_certificate: serverCase.peer_certificate }, 'wrong refusal'],
    ['a server', serverCase, 'agreement'],
    ['a server with its name', { ...serverCase, expected_peer_name: hostPeer }, 'agreement'],
    ['a server that is a CA', { ...serverCase, peer_certificate: intermediate.pem }, 'apart'],
    ['a server with another name', { ...serverCase, expected_peer_name: { ...hostPeer, value: 'other' } }, 'apart'],
    ['a server without serverAuth', { validation_kind: 'SERVER' }, 'apart'],
    ['a server below a CA for servers', { ...serverCase, untrusted_intermediates: [forServers.pem] }, 'apart'],
    ['with a chain depth', { max_chain_depth: 0 }, 'apart'],
    ['with a CRL', { crls: ['-----BEGIN X509 CRL-----'] }, 'apart'],
  ])('%s', (_, difference, kind) => {
    expect(readLimboFile(fileOf(difference)).map(runLimboCase)).toMatchObject([{ kind }]);
  });
});

test('another version, and a case without its certificate, are refused', () => {
  const file = join(temporaryDirectory(), 'limbo.json');
  writeFileSync(file, JSON.stringify({ version: 2, testcases: [] }));
  expect(() => readLimboFile(file)).toThrow('version');
  expect(() => readLimboFile(fileOf({ peer_certificate: undefined }))).toThrow('peer_certificate');
});

describe('the script', () => {
  const run = (environment: Record<string, string>) => {
    const env = { PATH: process.env.PATH, ...environment };
    return execFileSync(process.execPath, ['test/limbo/run.ts'], {
      cwd: repositoryRoot,
      env,
      stdio: 'pipe',
    }).toString();
  };

  test('prints the figures, and by name what is wrong', () => {
    const wrong = { id: 'tiny::wrong', expected_result: 'FAILURE' };
    const report = run({ COUNTERSIGN_LIMBO: fileOf({}, wrong, { max_chain_depth: 3 }) });
    expect(report).toContain('3 cases, 2 judged, 1 in agreement\n1 wrong acceptances\n  tiny::wrong: path to anchor');
    expect(report).toMatch(/0 wrong refusals\n1 apart\n {2}1 sets a chain depth.*\nslowest: tiny::\w+, [\d.]+ ms\n$/);
  });

  test('says what is missing without a file', () => {
    expect(() => run({})).toThrow('skipped: set COUNTERSIGN_LIMBO');
  });
});
