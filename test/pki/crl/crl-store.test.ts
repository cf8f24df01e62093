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
  onlyClients,
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

const everybody = (policy: Partial<CaCrlPolicy>): CrlPolicy => ({
  byDefault: { mode: 'require', maxStalenessMilliseconds: 0, ...policy },
  byCa: new Map(),
});
const require_ = everybody({});
const prefer = everybody({ mode: 'prefer' });
const off = everybody({ mode: 'off' });

async function listsOf(...crls: readonly Uint8Array[]): Promise<CrlStore> {
  const lists = new CrlStore(() => trust);
  for (const crl of crls) await lists.add(crl);
  return lists;
}

async function judge(policy: CrlPolicy, crls: readonly Uint8Array[], now = Date.now()) {
  const { current } = await listsOf(...crls);
  return selectValidPaths(found, now, (path, time) => crlViolation(path, current, policy, time));
}

const ofRoot = (options?: CrlOptions) => createCrl(root, options);
const ofIssuing = (options?: CrlOptions) => createCrl(issuing, options);
const stale = { thisUpdate: new Date(Date.now() - 3 * HOUR), nextUpdate: new Date(Date.now() - HOUR) };
const holdsLeaf = { revoked: [issuing.issue(), leaf] };
type Row = [title: string, policy: CrlPolicy, crls: Uint8Array[]];

describe('a path counts', () => {
  test.each<Row>([
    ['with a CRL of every CA', require_, [ofRoot(), ofIssuing()]],
    ['where others are revoked', require_, [ofRoot(), ofIssuing({ revoked: [issuing.issue(), issuing.issue()] })]],
    ['with a CRL v1', require_, [ofRoot({ version: 1 }), ofIssuing({ version: 1 })]],
    [
      'with one that is stale for less than it may',
      everybody({ maxStalenessMilliseconds: 2 * HOUR }),
      [ofRoot(stale), ofIssuing(stale)],
    ],
    ['where CRLs are preferred, and there is none', prefer, []],
    ['where CRLs are preferred, and stale', prefer, [ofRoot(stale), ofIssuing(stale)]],
    ['where nobody asks', off, [ofIssuing(holdsLeaf)]],
    [
      'where one CA has none, and need not',
      {
        byDefault: require_.byDefault,
        byCa: new Map([[parseCaCertificate(root.der).publicKeyThumbprint, off.byDefault]]),
      },
      [ofIssuing()],
    ],
  ])('%s', async (_, policy, crls) => {
    expect(await judge(policy, crls)).toMatchObject({ verified: true });
  });
});

describe('a path does not count', () => {
  test.each<[...Row, string]>([
    [
      'with a revoked leaf',
      require_,
      [ofRoot(), ofIssuing(holdsLeaf)],
      'the certificate is revoked by CA "CN=Issuing" (RFC 5280 §6.3.3)',
    ],
    ['with a revoked leaf where CRLs are preferred', prefer, [ofIssuing(holdsLeaf)], 'the certificate is revoked'],
    [
      'with a leaf that a stale CRL revokes',
      prefer,
      [ofIssuing({ ...holdsLeaf, ...stale })],
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
    ['without a CRL', require_, [ofRoot()], 'there is no CRL of CA "CN=Issuing"'],
    ['without a CRL of the root', require_, [ofIssuing()], 'there is no CRL of CA "CN=Root"'],
    ['with a stale CRL', require_, [ofRoot(), ofIssuing(stale)], 'the CRL of CA "CN=Issuing" expired at'],
    [
      'with a CRL of tomorrow',
      require_,
      [ofRoot(), ofIssuing({ thisUpdate: new Date(Date.now() + HOUR) })],
      'is not valid before',
    ],
  ])('%s', async (_, policy, crls, reason) => {
    expect(await judge(policy, crls)).toMatchObject({ verified: false, reason: expect.stringContaining(reason) });
  });
});

describe('a CRL is refused', () => {
  test.each<[string, () => Uint8Array, string]>([
    ['of nobody', () => createCrl(createTestCa({ subject: [['CN', 'X']] })), 'has issuer "CN=X", which is not a CA'],
    ['of a CA of the same name', () => createCrl(impostor), 'is not signed by the key of CA "CN=Root"'],
    ['that was changed', () => changed(ofRoot({ revoked: [leaf] })), 'is not signed by the key'],
    ['without nextUpdate', () => ofRoot({ nextUpdate: 'none' }), 'has no nextUpdate'],
    ['for changes only', () => ofRoot({ extensions: [deltaIndicator] }), 'is a delta CRL'],
    ['for other issuers', () => ofRoot({ extensions: [distributionPoint(indirect)] }), 'is an indirect CRL'],
    [
      'with an entry for another issuer',
      () => ofRoot({ entries: [entry(serialOf(leaf), [certificateIssuer])] }),
      'is an indirect CRL: an entry',
    ],
    ['for a part', () => ofRoot({ extensions: [distributionPoint(onlyClients)] }), 'may be incomplete'],
    ['with a critical extension', () => ofRoot({ extensions: [unknownCritical] }), 'unknown critical extension'],
    [
      'with a critical extension of an entry',
      () => ofRoot({ entries: [entry(serialOf(leaf), [unknownCritical])] }),
      'an entry with an unknown critical',
    ],
    ['by SHA-1', () => ofRoot({ signatureHash: 'SHA-1' }), 'an algorithm that is not accepted'],
    [
      'with a serial number in too many octets',
      () => ofRoot({ entries: [entry(der(0x02, Buffer.of(0, 1)))] }),
      'fewest bytes',
    ],
    ['with bytes behind it', () => Buffer.concat([ofRoot(), Buffer.of(0)]), '1 trailing bytes'],
    ['that is a certificate', () => root.der, 'not a CRL'],
    ['that is cut off', () => ofRoot().subarray(0, 100), 'extends past its enclosing element'],
  ])('%s', async (_, crl, message) => {
    await expect(listsOf(crl())).rejects.toThrow(message);
  });
});

test('an older CRL never replaces a newer one', async () => {
  const newer = ofIssuing(holdsLeaf);
  const older = ofIssuing({ thisUpdate: new Date(Date.now() - 2 * HOUR) });
  const lists = await listsOf(newer);
  expect(await lists.add(older)).toBeUndefined();
  expect((await judge(require_, [ofRoot(), newer, older])).verified).toBe(false);
  expect((await judge(require_, [ofRoot(), older, newer])).verified).toBe(false);
});

test('of two that the CA wrote in one second, the one that revokes more counts', async () => {
  const thisUpdate = new Date(Date.now() - HOUR);
  const [before, after] = [ofIssuing({ thisUpdate }), ofIssuing({ thisUpdate, ...holdsLeaf })];
  const lists = await listsOf(before);
  expect(await lists.add(before)).toBeUndefined();
  expect((await lists.add(after))?.crl.revoked.size).toBe(2);
  expect(await lists.add(before)).toBeUndefined();
  expect((await judge(require_, [ofRoot(), before, after])).verified).toBe(false);
});

test('a hundred thousand serial numbers take less than 30 octets each, and others may work meanwhile', async () => {
  const entries = Array.from({ length: 100_000 }, () =>
    entry(der(0x02, Buffer.concat([Buffer.of(0x40), randomBytes(15)]))),
  );
  const crl = ofRoot({ entries: [Buffer.concat(entries)] });
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const accepted = await new CrlStore(() => trust).add(crl);
  clearInterval(timer);
  expect(accepted?.crl.revoked.size).toBe(100_000);
  expect(accepted?.crl.revoked.memory).toBeLessThan(3_000_000);
  expect(turns).toBeGreaterThan(3);
});

test.each(['rsa-2048', 'ec-p384', 'ed25519'] as const)('CRLs are signed by %s', async (keyType) => {
  const ca = createTestCa({ subject: [['CN', keyType]], keyType });
  const own = createTrustStore([parseCaCertificate(ca.der)]);
  const accepted = await new CrlStore(() => own).add(createCrl(ca, { revoked: [leaf] }));
  expect(accepted?.crl.revoked.size).toBe(1);
});

/** The same with another octet in the first entry. */
function changed(crl: Buffer): Uint8Array {
  const copy = Buffer.from(crl);
  const at = copy.indexOf(Buffer.from(serialOf(leaf as MintedCertificate)));
  copy[at + 4] = (copy[at + 4] ?? 0) ^ 1;
  return copy;
}
