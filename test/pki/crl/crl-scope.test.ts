import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { parseCertificateFile } from '../../../src/pki/certificate/pem.ts';
import { parseCrls } from '../../../src/pki/crl/crl-files.ts';
import { describeScope } from '../../../src/pki/crl/crl-scope.ts';
import { CrlStore } from '../../../src/pki/crl/crl-store.ts';
import { type CrlMode, crlViolation } from '../../../src/pki/crl/crl-violation.ts';
import { buildPaths } from '../../../src/pki/path/build-paths.ts';
import { createTrustStore } from '../../../src/pki/path/trust-store.ts';
import { selectValidPaths } from '../../../src/pki/path/verify-chain.ts';
import { type CertificateOptions, createTestCa } from '../../support/certificates.ts';
import {
  type CrlOptions,
  createCrl,
  crlDistributionPoints,
  crlIssuer,
  distributionPoint,
  entry,
  fullName,
  onlyCas,
  onlyClients,
  onlyReasons,
  pointReasons,
  relativeToIssuer,
  serialOf,
  writtenFalse,
} from '../../support/crls.ts';
import { der, sequence } from '../../support/der.ts';
import { generalName } from '../../support/general-names.ts';
import { repositoryRoot } from '../../support/repository-root.ts';

const HOUR = 3_600_000;
const ca = createTestCa({
  subject: [
    ['O', 'Acme'],
    ['CN', 'CA'],
  ],
});
const issuerName = [
  ['O', 'Acme'],
  ['CN', 'CA'],
] as const;
const trust = createTrustStore([parseCaCertificate(ca.der)]);

const { uri, directory } = generalName;
const [first, second] = [uri('http://ca.example/1.crl'), uri('http://ca.example/2.crl')];
/** A CRL of the CA with these fields of an issuing distribution point. */
const crlFor = (fields: readonly Uint8Array[], options: CrlOptions = {}) =>
  createCrl(ca, { extensions: [distributionPoint(...fields)], ...options });
/** A certificate with these CRL distribution points. */
const naming = (...points: readonly (readonly Uint8Array[])[]): CertificateOptions => ({
  extraExtensions: [crlDistributionPoints(...points)],
});

interface Given {
  readonly crls: readonly Uint8Array[];
  readonly certificate?: CertificateOptions;
  readonly mode?: CrlMode;
  readonly missing?: readonly string[];
}

/** Validates a client's certificate against CRLs, each from a source of its own. */
async function validate({ crls, certificate = {}, mode = 'require', missing = [] }: Given) {
  const store = new CrlStore({ currentTrust: () => trust, now: Date.now, sources: missing });
  for (const [index, crl] of crls.entries()) await store.load(`${index}.crl`, [crl]);
  const policy = { byDefault: { mode, maxStalenessMilliseconds: 0 }, byCa: new Map() };
  const found = buildPaths(parseClientCertificate(ca.issue(certificate).der), [], trust);
  return selectValidPaths(found, Date.now(), (path, now) => crlViolation(path, store.current, policy, now));
}

const all = [1, 2, 3, 4, 5, 6, 7, 8] as const;

test('a client certificate without distribution points is covered by the CRL that step-ca publishes', async () => {
  const read = (name: string) => readFileSync(join(repositoryRoot, 'test/cases/step-ca-crl', name));
  const [caDer] = parseCertificateFile(read('ca.pem')).certificates;
  const [clientDer] = parseCertificateFile(read('client.pem')).certificates;
  const configured = createTrustStore([parseCaCertificate(caDer)]);
  const now = Date.parse('2026-12-01');
  const store = new CrlStore({ currentTrust: () => configured, now: () => now });
  const [loaded] = await store.load('crl.pem', parseCrls(read('crl.pem')).crls);
  expect(loaded && describeScope(loaded.crl.scope)).toBe(
    'end-entity certificates only, distribution point http://ca.acme.example/1.0/crl',
  );
  const policy = { byDefault: { mode: 'require', maxStalenessMilliseconds: 0 }, byCa: new Map() } as const;
  const found = buildPaths(parseClientCertificate(clientDer), [], configured);
  expect(selectValidPaths(found, now, (path, time) => crlViolation(path, store.current, policy, time))).toMatchObject({
    verified: true,
  });
});

describe('a client certificate is covered by', () => {
  test.each<[string, Given]>([
    ['a CRL of end-entity certificates', { crls: [crlFor([onlyClients])] }],
    ['a CRL whose issuing distribution point is empty', { crls: [crlFor([])] }],
    [
      'a CRL whose issuing distribution point is not critical',
      { crls: [createCrl(ca, { extensions: [{ ...distributionPoint(onlyClients), critical: false }] })] },
    ],
    [
      'a CRL whose issuing distribution point writes out defaults',
      { crls: [crlFor([onlyClients, writtenFalse(0x82), writtenFalse(0x84), writtenFalse(0x85)])] },
    ],
    ['a CRL of the URI that it names', { crls: [crlFor([fullName(first)])], certificate: naming([fullName(first)]) }],
    [
      'a CRL of one of the URIs of one of its distribution points',
      {
        crls: [crlFor([fullName(uri('ldap:///CN=CA'), second), onlyClients])],
        certificate: naming([fullName(uri('http://x.example/'))], [fullName(uri('http://y.example/'), second)]),
      },
    ],
    [
      'a CRL of a directory name in another encoding',
      {
        crls: [crlFor([fullName(directory([['CN', 'Partition 1']]))])],
        certificate: naming([fullName(directory([['CN', 'PARTITION  1', 'printable']]))]),
      },
    ],
    [
      'a CRL of a name relative to the issuer',
      {
        crls: [crlFor([relativeToIssuer(['CN', 'Partition 1'])])],
        certificate: naming([relativeToIssuer(['CN', 'Partition 1'])]),
      },
    ],
    [
      'a CRL of a relative name that it names in full',
      {
        crls: [crlFor([relativeToIssuer(['CN', 'Partition 1'])])],
        certificate: naming([fullName(directory([...issuerName, ['CN', 'Partition 1']]))]),
      },
    ],
    [
      'a CRL of a full name that it names relative to the issuer',
      {
        crls: [crlFor([fullName(directory([...issuerName, ['CN', 'Partition 1']]))])],
        certificate: naming([relativeToIssuer(['CN', 'Partition 1'])]),
      },
    ],
    [
      'a CRL of a distribution point whose CRL issuer is its own issuer',
      { crls: [crlFor([fullName(first)])], certificate: naming([fullName(first), crlIssuer(directory(issuerName))]) },
    ],
    [
      'a CRL of the issuer name, where its distribution point has nothing but that CRL issuer',
      { crls: [crlFor([fullName(directory(issuerName))])], certificate: naming([crlIssuer(directory(issuerName))]) },
    ],
    [
      'a CRL whose distribution point is the name of the issuer',
      { crls: [crlFor([fullName(directory(issuerName))])], certificate: naming([fullName(second)]) },
    ],
    [
      'a CRL whose distribution point is an issuer alternative name',
      {
        crls: [crlFor([fullName(first)])],
        certificate: { extraExtensions: [{ oid: '2.5.29.18', value: sequence(first) }] },
      },
    ],
    ['a complete CRL, whatever it names', { crls: [createCrl(ca)], certificate: naming([fullName(second)]) }],
    [
      'one of several CRLs, the one that it names',
      {
        crls: [crlFor([fullName(first)]), crlFor([fullName(second)]), crlFor([onlyCas])],
        certificate: naming([fullName(second)]),
      },
    ],
    [
      'CRLs for some reasons each, which together are all',
      { crls: [crlFor([onlyReasons(1, 2, 3, 4)]), crlFor([onlyReasons(4, 5, 6, 7, 8)])] },
    ],
    [
      'a CRL for all reasons, written out',
      { crls: [crlFor([onlyReasons(0, ...all)])], certificate: naming([fullName(first)]) },
    ],
    [
      'the CRLs of two distribution points for some reasons each',
      {
        crls: [crlFor([fullName(first)]), crlFor([fullName(second)])],
        certificate: naming([fullName(first), pointReasons(1, 2, 3)], [fullName(second), pointReasons(4, 5, 6, 7, 8)]),
      },
    ],
    [
      'a CRL of a distribution point that it names twice, for some reasons each',
      {
        crls: [crlFor([fullName(first)])],
        certificate: naming([fullName(first), pointReasons(1, 2, 3)], [fullName(first), pointReasons(4, 5, 6, 7, 8)]),
      },
    ],
    [
      'a CRL without a name, although its distribution point is for some reasons',
      { crls: [createCrl(ca)], certificate: naming([fullName(first), pointReasons(1)]) },
    ],
    [
      'the only CRL of its CA, although it names no distribution point',
      { crls: [crlFor([fullName(first), onlyClients])] },
    ],
    [
      'the only CRL of its CA for end-entity certificates, although it names no distribution point',
      { crls: [crlFor([fullName(first), onlyClients]), crlFor([fullName(second), onlyCas])] },
    ],
    [
      'the only CRL of its CA, which another source has with one more name',
      { crls: [crlFor([fullName(first)]), crlFor([fullName(second, first)])] },
    ],
  ])('%s', async (_, given) => {
    expect(await validate(given)).toMatchObject({ verified: true });
  });
});

const criticalPoints = (value: Uint8Array): CertificateOptions => ({
  extraExtensions: [{ oid: '2.5.29.31', critical: true, value }],
});

test('a client certificate can have critical distribution points', async () => {
  const certificate = criticalPoints(crlDistributionPoints([fullName(first)]).value);
  for (const mode of ['require', 'off'] as const) {
    expect(await validate({ crls: [crlFor([fullName(first)])], certificate, mode })).toMatchObject({ verified: true });
  }
});

test('a client certificate with malformed critical distribution points is rejected', () => {
  const { der: client } = ca.issue(criticalPoints(sequence(sequence(der(0xa0)))));
  expect(() => parseClientCertificate(client)).toThrow('its CRL distribution points are malformed');
});

test.each([
  ['well-formed', []],
  ['malformed', [[fullName()]]],
])('a certificate with many relative names and a long issuer is rejected quickly if they are %s', (_, points) => {
  const longName = Array.from({ length: 60 }, (_, index) => ['OU', `${index}`.repeat(20)] as const);
  const relative = Array.from({ length: 400 }, () => [relativeToIssuer(['CN', 'x'])]);
  const { der: client } = createTestCa({ subject: longName }).issue(naming(...points, ...relative));
  expect(client.length).toBeLessThan(16_384);
  const start = process.threadCpuUsage();
  expect(() => parseClientCertificate(client)).toThrow(
    /has 400 CRL distribution points relative to the CRL issuer, \d+ bytes with the name of the issuer; at most 16384/,
  );
  expect(process.threadCpuUsage(start).user).toBeLessThan(100_000);
});

describe('the status of a client certificate is unknown', () => {
  const unknown = 'the certificate has an unknown revocation status: ';
  test.each<[string, Given, string]>([
    [
      'with a CRL of CA certificates',
      { crls: [crlFor([onlyCas])] },
      'the CRL of CA "CN=CA,O=Acme" (CA certificates only) lists no end-entity certificates',
    ],
    [
      'with the CRL of another distribution point',
      { crls: [crlFor([fullName(first), onlyClients])], certificate: naming([fullName(second)]) },
      'the CRL of CA "CN=CA,O=Acme" (end-entity certificates only, distribution point http://ca.example/1.crl) ' +
        'is not for the distribution points that the certificate names (http://ca.example/2.crl)',
    ],
    [
      'with the CRL of a URI in another spelling',
      { crls: [crlFor([fullName(first)])], certificate: naming([fullName(uri('HTTP://ca.example/1.crl'))]) },
      '(HTTP://ca.example/1.crl)',
    ],
    [
      'with the CRL of the same text in another form of name',
      {
        crls: [crlFor([fullName(first)])],
        certificate: naming([fullName(generalName.dns('http://ca.example/1.crl'))]),
      },
      'is not for the distribution points',
    ],
    [
      'with the CRL of a name relative to the issuer that it names without the issuer',
      {
        crls: [crlFor([relativeToIssuer(['CN', 'Partition 1'])])],
        certificate: naming([fullName(directory([['CN', 'Partition 1']]))]),
      },
      '(distribution point CN=Partition 1,CN=CA,O=Acme) is not for the distribution points that the certificate names (CN=Partition 1)',
    ],
    [
      'with the CRL of a distribution point whose CRLs are issued by another',
      {
        crls: [crlFor([fullName(first)])],
        certificate: naming([fullName(first), crlIssuer(directory([['CN', 'CRL issuer']]))]),
      },
      '(http://ca.example/1.crl of another CRL issuer)',
    ],
    [
      'with a CRL whose name its CRL issuer does not have, where its distribution point has no name',
      { crls: [crlFor([fullName(first)])], certificate: naming([crlIssuer(directory(issuerName))]) },
      '(CN=CA,O=Acme)',
    ],
    [
      'with the CRL of a name, where its distribution point is empty',
      { crls: [crlFor([fullName(first)])], certificate: naming([]) },
      '(a distribution point without a name)',
    ],
    [
      'with the CRL of a name, where its list of distribution points is empty',
      { crls: [crlFor([fullName(first)])], certificate: naming() },
      'is not for the distribution points that the certificate names ()',
    ],
    [
      'with the CRL of a name, where its distribution points are malformed',
      {
        crls: [crlFor([fullName(first)])],
        certificate: { extraExtensions: [{ oid: '2.5.29.31', value: sequence(sequence(der(0xa0))) }] },
      },
      '(a malformed extension: has a malformed distribution point name)',
    ],
    [
      'with several CRLs, none of which it names',
      {
        crls: [crlFor([fullName(first)]), crlFor([onlyCas])],
        certificate: naming([fullName(second)]),
      },
      '(http://ca.example/2.crl); the CRL of CA "CN=CA,O=Acme" (CA certificates only) lists no end-entity certificates',
    ],
    [
      'without a name, with one of several distribution points',
      { crls: [crlFor([fullName(first), onlyClients]), crlFor([fullName(second), onlyClients])] },
      'is one of several, among them one for http://ca.example/2.crl, and the certificate names no distribution point',
    ],
    [
      'without a name, with one of several distribution points, of which one is for all certificates',
      { crls: [crlFor([fullName(first), onlyClients]), crlFor([fullName(second)])] },
      'is one of several',
    ],
    [
      'without a name, with the CRL of a distribution point next to a complete one that has expired',
      {
        crls: [
          crlFor([fullName(first)]),
          createCrl(ca, { thisUpdate: new Date(Date.now() - 2 * HOUR), nextUpdate: new Date(Date.now() - HOUR) }),
        ],
      },
      'is one of several, among them one for all distribution points',
    ],
    [
      'without a name, with the CRL of a distribution point while others may not have been loaded yet',
      { crls: [crlFor([fullName(first)])], missing: ['http://ca.example/2.crl'] },
      'may be one of several, and the certificate names no distribution point: not loaded yet is http://ca.example/2.crl',
    ],
    [
      'with CRLs that lack a reason',
      { crls: [crlFor([onlyReasons(1, 2, 3)]), crlFor([onlyReasons(4, 5, 6, 7)])] },
      'no CRL lists it for the reasons aACompromise',
    ],
    [
      'with CRLs for some reasons, of which one has expired',
      {
        crls: [
          crlFor([onlyReasons(1, 2, 3, 4)]),
          crlFor([onlyReasons(5, 6, 7, 8)], {
            thisUpdate: new Date(Date.now() - 2 * HOUR),
            nextUpdate: new Date(Date.now() - HOUR),
          }),
        ],
      },
      'no CRL lists it for the reasons cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise; ' +
        'the CRL of CA "CN=CA,O=Acme" (reasons cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise only) expired at',
    ],
    ['with a CRL for no reason', { crls: [crlFor([onlyReasons()])] }, 'no CRL lists it for the reasons keyCompromise'],
    [
      'with a CRL of its distribution point for some reasons',
      { crls: [crlFor([fullName(first), onlyReasons(1, 2, 3)])], certificate: naming([fullName(first)]) },
      'no CRL lists it for the reasons superseded, cessationOfOperation',
    ],
    [
      'with the CRL of a name relative to the issuer, where its own is relative to another CRL issuer',
      {
        crls: [crlFor([relativeToIssuer(['CN', 'Partition 1'])])],
        certificate: naming([relativeToIssuer(['CN', 'Partition 1']), crlIssuer(directory([['O', 'Other']]))]),
      },
      '(CN=Partition 1,O=Other of another CRL issuer)',
    ],
    [
      'with the CRL of a distribution point that is for some reasons',
      { crls: [crlFor([fullName(first)])], certificate: naming([fullName(first), pointReasons(1, 2, 3)]) },
      'no CRL lists it for the reasons superseded, cessationOfOperation',
    ],
  ])('%s', async (_, given, reason) => {
    const status = await validate(given);
    expect(status).toMatchObject({ code: 'path_revocation_unknown', reason: expect.stringContaining(reason) });
    expect(status.reason).toContain(unknown);
    expect(await validate({ ...given, mode: 'prefer' })).toMatchObject({ verified: true });
  });
});

describe('a revoked client is rejected, also in mode prefer,', () => {
  const client = ca.issue(naming([fullName(second)]));
  test.each<[string, Uint8Array[]]>([
    ['by the CRL that it names', [crlFor([fullName(second)], { revoked: [client] })]],
    ['by the CRL of another distribution point', [crlFor([fullName(first)], { revoked: [client] })]],
    ['by a CRL of CA certificates', [crlFor([onlyCas], { revoked: [client] })]],
    ['by a CRL for some reasons', [crlFor([onlyReasons(1)], { revoked: [client] })]],
    ['by one of several CRLs', [createCrl(ca), crlFor([onlyClients], { entries: [entry(serialOf(client))] })]],
  ])('%s', async (_, crls) => {
    for (const mode of ['require', 'prefer'] as const) {
      const store = new CrlStore({ currentTrust: () => trust, now: Date.now });
      for (const [index, crl] of crls.entries()) await store.load(`${index}.crl`, [crl]);
      const policy = { byDefault: { mode, maxStalenessMilliseconds: 0 }, byCa: new Map() };
      const found = buildPaths(parseClientCertificate(client.der), [], trust);
      const check: Parameters<typeof selectValidPaths>[2] = (path, now) =>
        crlViolation(path, store.current, policy, now);
      expect(selectValidPaths(found, Date.now(), check)).toMatchObject({
        code: 'path_revoked',
        reason: expect.stringContaining('the certificate is revoked by CA "CN=CA,O=Acme"'),
      });
    }
  });
});
