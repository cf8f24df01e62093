import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { CrlStore } from '../../../src/pki/crl/crl-store.ts';
import { type CaCrlPolicy, type CrlPolicy, crlViolation } from '../../../src/pki/crl/crl-violation.ts';
import { buildPaths } from '../../../src/pki/path/build-paths.ts';
import { createTrustStore } from '../../../src/pki/path/trust-store.ts';
import { selectValidPaths } from '../../../src/pki/path/verify-chain.ts';
import { createTestCa, type MintedCertificate } from '../../support/certificates.ts';
import {
  type CrlOptions,
  certificateIssuer,
  createCrl,
  deltaIndicator,
  distributionPoint,
  entry,
  indirect,
  reasonCode,
  serialOf,
  unknownCritical,
} from '../../support/crls.ts';
import { der } from '../../support/der.ts';

const HOUR = 3_600_000;
const root = createTestCa({ subject: [['CN', 'Root']] });
const issuing = root.issueIntermediate({ subject: [['CN', 'Issuing']] });
const impostor = createTestCa({ subject: [['CN', 'Root']] });
const leaf = issuing.issue();
const trust = createTrustStore([root, issuing].map(({ der }) => parseCaCertificate(der)));
const found = buildPaths(parseClientCertificate(leaf.der), [], trust);

const allCas = (policy: Partial<CaCrlPolicy>): CrlPolicy => ({
  byDefault: { mode: 'require', maxStalenessMilliseconds: 0, ...policy },
  byCa: new Map(),
});
const require_ = allCas({});
const prefer = allCas({ mode: 'prefer' });
const off = allCas({ mode: 'off' });

async function storeOf(...crls: readonly Uint8Array[]): Promise<CrlStore> {
  const store = new CrlStore(() => trust);
  for (const [index, crl] of crls.entries()) await store.load(`${index}.crl`, [crl]);
  return store;
}

async function validate(policy: CrlPolicy, crls: readonly Uint8Array[], now = Date.now()) {
  const { current } = await storeOf(...crls);
  return selectValidPaths(found, now, (path, time) => crlViolation(path, current, policy, time));
}

const ofRoot = (options?: CrlOptions) => createCrl(root, options);
const ofIssuing = (options?: CrlOptions) => createCrl(issuing, options);
const expired = { thisUpdate: new Date(Date.now() - 3 * HOUR), nextUpdate: new Date(Date.now() - HOUR) };
const revokesLeaf = { revoked: [issuing.issue(), leaf] };
type Row = [title: string, policy: CrlPolicy, crls: Uint8Array[]];

describe('a path is valid', () => {
  test.each<Row>([
    ['with a CRL of every CA', require_, [ofRoot(), ofIssuing()]],
    [
      'if other certificates are revoked',
      require_,
      [ofRoot(), ofIssuing({ revoked: [issuing.issue(), issuing.issue()] })],
    ],
    ['with a CRL v1', require_, [ofRoot({ version: 1 }), ofIssuing({ version: 1 })]],
    [
      'with expired CRLs within the allowed staleness',
      allCas({ maxStalenessMilliseconds: 2 * HOUR }),
      [ofRoot(expired), ofIssuing(expired)],
    ],
    ['without CRLs in mode prefer', prefer, []],
    ['with expired CRLs in mode prefer', prefer, [ofRoot(expired), ofIssuing(expired)]],
    ['with a revoked leaf in mode off', off, [ofIssuing(revokesLeaf)]],
    [
      'without a CRL of a CA in mode off',
      {
        byDefault: require_.byDefault,
        byCa: new Map([[parseCaCertificate(root.der).publicKeyThumbprint, off.byDefault]]),
      },
      [ofIssuing()],
    ],
  ])('%s', async (_, policy, crls) => {
    expect(await validate(policy, crls)).toMatchObject({ verified: true });
  });
});

describe('a path is rejected', () => {
  test.each<[...Row, string]>([
    [
      'with a revoked leaf',
      require_,
      [ofRoot(), ofIssuing(revokesLeaf)],
      'the certificate is revoked by CA "CN=Issuing" (RFC 5280 §6.3.3)',
    ],
    ['with a revoked leaf in mode prefer', prefer, [ofIssuing(revokesLeaf)], 'the certificate is revoked'],
    [
      'with a leaf revoked by an expired CRL in mode prefer',
      prefer,
      [ofIssuing({ ...revokesLeaf, ...expired })],
      'the certificate is revoked',
    ],
    [
      'with a leaf on hold',
      require_,
      [ofRoot(), ofIssuing({ entries: [entry(serialOf(leaf), [reasonCode(6)])] })],
      'the certificate is revoked',
    ],
    [
      'with a revoked intermediate',
      require_,
      [ofRoot({ revoked: [issuing] }), ofIssuing()],
      'CA "CN=Issuing" (1 above the certificate) is revoked by CA "CN=Root"',
    ],
    ['without a CRL of the issuer', require_, [ofRoot()], 'there is no CRL of CA "CN=Issuing"'],
    ['without a CRL of the root', require_, [ofIssuing()], 'there is no CRL of CA "CN=Root"'],
    ['with an expired CRL', require_, [ofRoot(), ofIssuing(expired)], 'the CRL of CA "CN=Issuing" expired at'],
    [
      'with a CRL whose thisUpdate is in the future',
      require_,
      [ofRoot(), ofIssuing({ thisUpdate: new Date(Date.now() + HOUR) })],
      'is not valid before',
    ],
  ])('%s', async (_, policy, crls, reason) => {
    expect(await validate(policy, crls)).toMatchObject({ verified: false, reason: expect.stringContaining(reason) });
  });
});

describe('a CRL is rejected', () => {
  test.each<[string, () => Uint8Array, string]>([
    [
      'of an unknown CA',
      () => createCrl(createTestCa({ subject: [['CN', 'X']] })),
      'has issuer "CN=X", which is not a CA',
    ],
    ['of another CA with the same name', () => createCrl(impostor), 'is not signed by the key of CA "CN=Root"'],
    ['with a changed byte', () => changed(ofRoot({ revoked: [leaf] })), 'is not signed by the key'],
    ['without nextUpdate', () => ofRoot({ nextUpdate: 'none' }), 'has no nextUpdate'],
    ['with a delta CRL indicator', () => ofRoot({ extensions: [deltaIndicator] }), 'is a delta CRL'],
    ['with indirectCRL', () => ofRoot({ extensions: [distributionPoint(indirect)] }), 'is an indirect CRL'],
    [
      'with a certificateIssuer in an entry',
      () => ofRoot({ entries: [entry(serialOf(leaf), [certificateIssuer])] }),
      'is an indirect CRL: an entry',
    ],
    [
      'with an unknown critical extension',
      () => ofRoot({ extensions: [unknownCritical] }),
      'unknown critical extension',
    ],
    [
      'with an unknown critical extension in an entry',
      () => ofRoot({ entries: [entry(serialOf(leaf), [unknownCritical])] }),
      'an entry with an unknown critical',
    ],
    ['with a SHA-1 signature', () => ofRoot({ signatureHash: 'SHA-1' }), 'an algorithm that is not accepted'],
    [
      'with a serial number that is not minimally encoded',
      () => ofRoot({ entries: [entry(der(0x02, Buffer.of(0, 1)))] }),
      'not minimally encoded',
    ],
    ['with trailing bytes', () => Buffer.concat([ofRoot(), Buffer.of(0)]), '1 trailing bytes'],
    ['that is a certificate', () => root.der, 'not a CRL'],
    ['that is truncated', () => ofRoot().subarray(0, 100), 'extends past its enclosing element'],
  ])('%s', async (_, crl, message) => {
    await expect(storeOf(crl())).rejects.toThrow(message);
  });
});

test('an older CRL never replaces a newer one', async () => {
  const newer = ofIssuing(revokesLeaf);
  const older = ofIssuing({ thisUpdate: new Date(Date.now() - 2 * HOUR) });
  const store = await storeOf(newer);
  expect(await store.load('0.crl', [older])).toEqual([]);
  expect((await validate(require_, [ofRoot(), newer, older])).verified).toBe(false);
  expect((await validate(require_, [ofRoot(), older, newer])).verified).toBe(false);
});

test('the CRL that revokes more replaces another of the same second', async () => {
  const thisUpdate = new Date(Date.now() - HOUR);
  const [before, after] = [ofIssuing({ thisUpdate }), ofIssuing({ thisUpdate, ...revokesLeaf })];
  const store = await storeOf(before);
  expect(await store.load('0.crl', [before])).toEqual([]);
  expect((await store.load('0.crl', [after]))[0]?.crl.revoked.size).toBe(2);
  expect(await store.load('0.crl', [before])).toEqual([]);
  expect((await validate(require_, [ofRoot(), before, after])).verified).toBe(false);
});

test('a hundred thousand serial numbers take less than 30 bytes each and do not block the event loop', async () => {
  const entries = Array.from({ length: 100_000 }, () =>
    entry(der(0x02, Buffer.concat([Buffer.of(0x40), randomBytes(15)]))),
  );
  const crl = ofRoot({ entries: [Buffer.concat(entries)] });
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const [accepted] = await new CrlStore(() => trust).load('large.crl', [crl]);
  clearInterval(timer);
  expect(accepted?.crl.revoked.size).toBe(100_000);
  expect(accepted?.crl.revoked.memory).toBeLessThan(3_000_000);
  expect(turns).toBeGreaterThan(3);
});

test.each(['rsa-2048', 'ec-p384', 'ed25519'] as const)('a CRL is accepted with a signature by %s', async (keyType) => {
  const ca = createTestCa({ subject: [['CN', keyType]], keyType });
  const own = createTrustStore([parseCaCertificate(ca.der)]);
  const [accepted] = await new CrlStore(() => own).load('ca.crl', [createCrl(ca, { revoked: [leaf] })]);
  expect(accepted?.crl.revoked.size).toBe(1);
});

/** Changes one byte of the first entry. */
function changed(crl: Buffer): Uint8Array {
  const copy = Buffer.from(crl);
  const at = copy.indexOf(Buffer.from(serialOf(leaf as MintedCertificate)));
  copy[at + 4] = (copy[at + 4] ?? 0) ^ 1;
  return copy;
}
