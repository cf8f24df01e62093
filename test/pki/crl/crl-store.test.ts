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
  crlNumber,
  deltaIndicator,
  distributionPoint,
  entry,
  fullName,
  indirect,
  onlyAttributes,
  onlyCas,
  onlyClients,
  reasonCode,
  serialOf,
  unknownCritical,
} from '../../support/crls.ts';
import { der, integer, octetString, sequence } from '../../support/der.ts';
import { generalName } from '../../support/general-names.ts';

const HOUR = 3_600_000;
const tomorrow = new Date(Date.now() + 24 * HOUR);
const generalizedTime = (date: Date) => der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`));
const root = createTestCa({ subject: [['CN', 'Root']] });
const issuing = root.issueIntermediate({ subject: [['CN', 'Issuing']] });
const impostor = createTestCa({ subject: [['CN', 'Root']] });
const leaf = issuing.issue();
const withoutCrlSign = createTestCa({ subject: [['CN', 'No CRLs']], keyUsage: ['keyCertSign'] });
const trust = createTrustStore([root, issuing, withoutCrlSign].map(({ der }) => parseCaCertificate(der)));
const found = buildPaths(parseClientCertificate(leaf.der), [], trust);

const allCas = (policy: Partial<CaCrlPolicy>): CrlPolicy => ({
  byDefault: { mode: 'require', maxStalenessMilliseconds: 0, ...policy },
  byCa: new Map(),
});
const require_ = allCas({});
const prefer = allCas({ mode: 'prefer' });
const off = allCas({ mode: 'off' });

async function storeOf(...crls: readonly Uint8Array[]): Promise<CrlStore> {
  const store = new CrlStore({ currentTrust: () => trust, now: Date.now });
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
    ['with a CRL v1 whose version is written out', require_, [ofRoot({ rawVersion: integer(0n) }), ofIssuing()]],
    ['with a CRL v1 with extensions', require_, [ofRoot({ version: 1, extensions: [crlNumber(1n)] }), ofIssuing()]],
    ['with a CRL whose list of entries is empty', require_, [ofRoot({ writeEmptyList: true }), ofIssuing()]],
    [
      'with a CRL whose times are GeneralizedTimes before 2050',
      require_,
      [
        ofRoot({
          rawThisUpdate: generalizedTime(new Date(Date.now() - HOUR)),
          rawNextUpdate: generalizedTime(tomorrow),
        }),
        ofIssuing(),
      ],
    ],
    [
      'with a CRL with an authority key identifier that is not that of the CA',
      require_,
      [ofRoot({ extensions: [{ oid: '2.5.29.35', value: sequence(der(0x80, Buffer.alloc(20))) }] }), ofIssuing()],
    ],
    [
      'with a CRL that refers to delta CRLs, and has other extensions that are not critical',
      require_,
      [
        ofRoot({
          extensions: [
            { oid: '2.5.29.46', value: sequence() },
            { ...unknownCritical, critical: false },
            { ...crlNumber(2n ** 200n), critical: true },
          ],
        }),
        ofIssuing(),
      ],
    ],
    [
      'with a CRL of end-entity certificates for the leaf and one of CA certificates for the intermediate',
      require_,
      [
        ofRoot({ extensions: [distributionPoint(onlyCas)] }),
        ofIssuing({ extensions: [distributionPoint(onlyClients)] }),
      ],
    ],
    [
      'if a certificate of another CA with the same serial number is revoked',
      require_,
      [ofRoot({ entries: [entry(serialOf(leaf))] }), ofIssuing()],
    ],
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
      'with a leaf whose reason is removeFromCRL',
      require_,
      [ofRoot(), ofIssuing({ entries: [entry(serialOf(leaf), [reasonCode(8)])] })],
      'the certificate is revoked',
    ],
    [
      'with a leaf that is listed twice, with a revocation date in the future and critical extensions of the entry',
      require_,
      [
        ofRoot(),
        ofIssuing({
          entries: [
            entry(serialOf(leaf)),
            entry(serialOf(leaf), [
              { ...reasonCode(1), critical: true },
              { oid: '2.5.29.24', critical: true, value: generalizedTime(tomorrow) },
            ]),
          ],
        }),
      ],
      'the certificate is revoked',
    ],
    [
      'with the CRL of end-entity certificates of the root only',
      require_,
      [ofRoot({ extensions: [distributionPoint(onlyClients)] }), ofIssuing()],
      'CA "CN=Issuing" (1 above the certificate) has an unknown revocation status: ' +
        'the CRL of CA "CN=Root" (end-entity certificates only) lists no CA certificates',
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
    [
      'with a delta CRL indicator that is not critical',
      () => ofRoot({ extensions: [{ ...deltaIndicator, critical: false }] }),
      'is a delta CRL',
    ],
    ['with indirectCRL', () => ofRoot({ extensions: [distributionPoint(indirect)] }), 'is an indirect CRL'],
    [
      'with onlyContainsAttributeCerts',
      () => ofRoot({ extensions: [distributionPoint(onlyAttributes)] }),
      'covers attribute certificates only',
    ],
    [
      'with both onlyContainsUserCerts and onlyContainsCACerts',
      () => ofRoot({ extensions: [distributionPoint(onlyClients, onlyCas)] }),
      'covers no certificate: it has both onlyContainsUserCerts and onlyContainsCACerts',
    ],
    [
      'with an issuing distribution point with a BOOLEAN that is neither 00 nor FF',
      () => ofRoot({ extensions: [distributionPoint(der(0x81, Buffer.of(1)))] }),
      'not DER: a BOOLEAN of 01; FALSE is 00 and TRUE is FF',
    ],
    ...[
      ['fields in another order', [onlyCas, onlyClients]],
      ['a field twice', [onlyClients, onlyClients]],
      ['an unknown field', [der(0x86, Buffer.of(0xff))]],
    ].map(([title, fields]): [string, () => Uint8Array, string] => [
      `with an issuing distribution point with ${title}`,
      // Safe: the second member of each row above is a list of elements.
      () => ofRoot({ extensions: [distributionPoint(...(fields as Uint8Array[]))] }),
      'has a malformed issuing distribution point',
    ]),
    [
      'with an issuing distribution point with an empty list of names',
      () => ofRoot({ extensions: [distributionPoint(fullName())] }),
      'has a distribution point with an empty list of names',
    ],
    [
      'with an issuing distribution point with malformed reasons',
      () => ofRoot({ extensions: [distributionPoint(der(0x83))] }),
      'a BIT STRING without a count of unused bits',
    ],
    [
      'with two issuing distribution points',
      () => ofRoot({ extensions: [distributionPoint(onlyClients), distributionPoint()] }),
      'has extension 2.5.29.28 twice',
    ],
    [
      'with a CRL number that is not an INTEGER',
      () => ofRoot({ extensions: [{ oid: '2.5.29.20', value: octetString(Buffer.of(1)) }] }),
      'has a malformed CRL number',
    ],
    [
      'with a thisUpdate with fractions of a second',
      () => ofRoot({ rawThisUpdate: der(0x18, Buffer.from('20260101000000.5Z')) }),
      'has a GeneralizedTime that is not YYYYMMDDHHMMSSZ: "20260101000000.5Z"',
    ],
    [
      'with a thisUpdate with a time zone',
      () => ofRoot({ rawThisUpdate: der(0x17, Buffer.from('260101000000+0100')) }),
      'has a UTCTime that is not YYMMDDHHMMSSZ: "260101000000+0100"',
    ],
    ['of version 3', () => ofRoot({ rawVersion: integer(2n) }), 'has an unknown version: neither v1 nor v2'],
    [
      'with a nextUpdate before its thisUpdate',
      () => ofRoot({ nextUpdate: new Date(Date.now() - 2 * HOUR) }),
      'is never valid: its nextUpdate, ',
    ],
    [
      'of a CA that may not sign CRLs',
      () => createCrl(withoutCrlSign),
      'is signed by CA "CN=No CRLs", which may not sign CRLs: its key usage lacks cRLSign (RFC 5280 §6.3.3 (f))',
    ],
    [
      'of a critical freshest CRL',
      () => ofRoot({ extensions: [{ oid: '2.5.29.46', critical: true, value: sequence() }] }),
      'unknown critical extension: 2.5.29.46',
    ],
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
      'has an entry with an unknown critical extension: 1.3.6.1.4.1.99999.3 (RFC 5280 §5.3) (entry 1 of revokedCertificates)',
    ],
    [
      'with a malformed entry',
      () => ofRoot({ revoked: [leaf], entries: [sequence(serialOf(leaf))] }),
      'has a malformed entry: not a serial number and a revocation date (entry 2 of revokedCertificates)',
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

test('of two CRLs of the same second the one with the higher number is used', async () => {
  const thisUpdate = new Date(Date.now() - HOUR);
  const revoking = ofIssuing({ thisUpdate, ...revokesLeaf, extensions: [crlNumber(9n)] });
  const releasing = ofIssuing({ thisUpdate, extensions: [crlNumber(256n)] });
  for (const order of [
    [revoking, releasing],
    [releasing, revoking],
  ]) {
    expect((await validate(require_, [ofRoot(), ...order])).verified).toBe(true);
  }
});

test('a CRL that is not valid yet is used from its thisUpdate on, and the current one until then', async () => {
  const [from, until] = [Date.now() + HOUR, Date.now() + 2 * HOUR];
  const revoking = ofIssuing({ ...revokesLeaf, thisUpdate: new Date(from) });
  const later = ofIssuing({ thisUpdate: new Date(until) });
  const current = ofIssuing({ thisUpdate: new Date(from - 2 * HOUR) });
  let now = Date.now();
  const store = new CrlStore({ currentTrust: () => trust, now: () => now });
  await store.load('root.crl', [ofRoot()]);
  const status = () => selectValidPaths(found, now, (path, time) => crlViolation(path, store.current, require_, time));
  await store.load('issuing.crl', [later, current]);
  expect(status().verified).toBe(true);
  now = from;
  await store.load('issuing.crl', [revoking]);
  expect(status().reason).toContain('is revoked');
  now = until;
  store.update();
  expect(status().verified).toBe(true);
});

test('a CRL with a lower number is used if its thisUpdate is later', async () => {
  const before = ofIssuing({ extensions: [crlNumber(9n)], thisUpdate: new Date(Date.now() - 2 * HOUR) });
  const after = ofIssuing({ extensions: [crlNumber(1n)], ...revokesLeaf });
  expect((await validate(require_, [ofRoot(), before, after])).reason).toContain('is revoked');
});

test('a CRL can list serial numbers of any length that a certificate can have', async () => {
  const long = (last: number) => issuing.issue({ serial: Buffer.concat([Buffer.alloc(300, 1), Buffer.of(last)]) });
  const [revoked, other] = [long(1), long(2)];
  const tooLong = entry(der(0x02, Buffer.alloc(20_000, 1)));
  const { current } = await storeOf(ofRoot(), ofIssuing({ revoked: [revoked], entries: [tooLong] }));
  const status = ({ der: client }: MintedCertificate) =>
    selectValidPaths(buildPaths(parseClientCertificate(client), [], trust), Date.now(), (path, now) =>
      crlViolation(path, current, require_, now),
    );
  expect(status(revoked).reason).toContain('the certificate is revoked');
  expect(status(other).verified).toBe(true);
});

describe('a CRL does not apply', () => {
  const [old, renewed] = [createTestCa({ subject: [['CN', 'CA']] }), createTestCa({ subject: [['CN', 'CA']] })];
  const renamed = createTestCa({ subject: [['CN', 'Renamed']], keys: old.keys });
  const configured = createTrustStore([old, renewed, renamed].map((ca) => parseCaCertificate(ca.der)));
  const statusWith = async (client: MintedCertificate, crl: Uint8Array) => {
    const store = new CrlStore({ currentTrust: () => configured, now: Date.now });
    await store.load('ca.crl', [crl]);
    return selectValidPaths(buildPaths(parseClientCertificate(client.der), [], configured), Date.now(), (path, now) =>
      crlViolation(path, store.current, require_, now),
    );
  };

  test('to certificates that another key of the same CA name signed', async () => {
    const key = parseCaCertificate(renewed.der).publicKeyThumbprint;
    expect(await statusWith(old.issue(), createCrl(renewed))).toMatchObject({
      verified: false,
      reason: expect.stringContaining(
        `there is no CRL of CA "CN=CA" that its key signed; there is one by another key of that name, ${key} (`,
      ),
    });
    expect((await statusWith(old.issue(), createCrl(old))).verified).toBe(true);
  });

  test('to certificates that the same key signed under another CA name', async () => {
    const client = renamed.issue();
    expect(await statusWith(client, createCrl(old, { revoked: [client] }))).toMatchObject({
      verified: false,
      reason: expect.stringContaining('there is no CRL of CA "CN=Renamed" (COUNTERSIGN_CRL_MODE=require'),
    });
    expect((await statusWith(client, createCrl(renamed))).verified).toBe(true);
  });
});

describe('the CRLs of a source', () => {
  const named = (path: string, options: CrlOptions = {}) =>
    ofIssuing({ extensions: [distributionPoint(fullName(generalName.uri(`http://ca/${path}`)))], ...options });
  const statusOf = (store: CrlStore) =>
    selectValidPaths(found, Date.now(), (path, time) => crlViolation(path, store.current, require_, time));
  const storeWithRoot = async (...sources: readonly string[]) => {
    const store = new CrlStore({ currentTrust: () => trust, now: Date.now, sources });
    await store.load('root.crl', [ofRoot()]);
    return store;
  };
  const earlier = { thisUpdate: new Date(Date.now() - 2 * HOUR) };

  test('are replaced by one of another distribution point if the CA has renamed it', async () => {
    const store = await storeWithRoot();
    await store.load('issuing.crl', [named('old', { ...earlier, ...revokesLeaf })]);
    expect(statusOf(store).reason).toContain('is revoked');
    const renamed = await storeWithRoot();
    await renamed.load('issuing.crl', [named('old', earlier)]);
    await renamed.load('issuing.crl', [named('new')]);
    expect(statusOf(renamed).verified).toBe(true);
  });

  test('apply until they expire, also if the source has another one', async () => {
    const store = await storeWithRoot();
    await store.load('issuing.crl', [named('old', { ...earlier, ...revokesLeaf })]);
    await store.load('issuing.crl', [named('new')]);
    expect(statusOf(store).reason).toContain('is revoked');
    const expired = await storeWithRoot();
    await expired.load('issuing.crl', [
      named('old', { thisUpdate: earlier.thisUpdate, nextUpdate: new Date(Date.now() - 1.5 * HOUR), ...revokesLeaf }),
    ]);
    await expired.load('issuing.crl', [named('new')]);
    expect([...expired.current.byCa.values()].flat()).toHaveLength(2);
    expect(statusOf(expired).verified).toBe(true);
  });

  test('are several if one bundle has several, also if others in it cannot be used', async () => {
    const store = await storeWithRoot();
    await store.load('issuing.crl', [named('1')]);
    expect(statusOf(store).verified).toBe(true);
    await expect(store.load('issuing.crl', [named('2'), root.der, named('3')])).rejects.toThrow(
      /^CRL 2 of 3 not a CRL/,
    );
    expect([...store.current.byCa.values()].flat()).toHaveLength(4);
    expect(statusOf(store).reason).toContain('is one of several');
  });

  test('are unknown until it is loaded completely', async () => {
    const store = await storeWithRoot('http://ca/crls');
    await store.load('issuing.crl', [named('1')]);
    await expect(store.load('http://ca/crls', [named('1'), root.der])).rejects.toThrow('CRL 2 of 2');
    expect(statusOf(store).reason).toContain('not loaded yet is http://ca/crls');
    await store.load('http://ca/crls', [named('1')]);
    expect(statusOf(store).verified).toBe(true);
  });

  test('no longer divide the certificates of a CA when the source is gone', async () => {
    const store = await storeWithRoot();
    await store.load('1.crl', [named('1')]);
    await store.load('2.crl', [named('2')]);
    expect(statusOf(store).reason).toContain('is one of several');
    store.retainSources(['root.crl', '2.crl']);
    expect(statusOf(store).verified).toBe(true);
  });

  test('are removed when their CA is not configured any more', async () => {
    let configured = trust;
    const store = new CrlStore({ currentTrust: () => configured, now: Date.now });
    await store.load('all.crl', [ofRoot(), ofIssuing()]);
    configured = createTrustStore([parseCaCertificate(root.der)]);
    store.update();
    expect([...store.current.byCa.values()].flat().map(({ ca }) => ca)).toEqual(['CN=Root']);
  });
});

test('a hundred thousand serial numbers take less than 30 bytes each and do not block the event loop', async () => {
  const entries = Array.from({ length: 100_000 }, () =>
    entry(der(0x02, Buffer.concat([Buffer.of(0x40), randomBytes(15)]))),
  );
  const crl = ofRoot({ entries: [Buffer.concat(entries)] });
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const [accepted] = await new CrlStore({ currentTrust: () => trust, now: Date.now }).load('large.crl', [crl]);
  clearInterval(timer);
  expect(accepted?.crl.revoked.size).toBe(100_000);
  expect(accepted?.crl.revoked.memory).toBeLessThan(3_000_000);
  expect(turns).toBeGreaterThan(3);
});

test.each([...(['rsa-2048', 'rsa-pss-2048', 'ec-p384', 'ed25519', 'ed448', 'ml-dsa-44'] as const)])(
  'a CRL is accepted with a signature by %s',
  async (keyType) => {
    const ca = createTestCa({ subject: [['CN', keyType]], keyType });
    const own = createTrustStore([parseCaCertificate(ca.der)]);
    const [accepted] = await new CrlStore({ currentTrust: () => own, now: Date.now }).load('ca.crl', [
      createCrl(ca, { revoked: [leaf] }),
    ]);
    expect(accepted?.crl.revoked.size).toBe(1);
  },
);

/** Changes one byte of the first entry. */
function changed(crl: Buffer): Uint8Array {
  const copy = Buffer.from(crl);
  const at = copy.indexOf(Buffer.from(serialOf(leaf as MintedCertificate)));
  copy[at + 4] = (copy[at + 4] ?? 0) ^ 1;
  return copy;
}
