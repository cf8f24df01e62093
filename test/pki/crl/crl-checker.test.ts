import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { createLocalCrlCache } from '../../../src/pki/crl/crl-cache.ts';
import { type CrlChecker, openCrlChecker } from '../../../src/pki/crl/crl-checker.ts';
import { createTrustStore } from '../../../src/pki/path/trust-store.ts';
import { createTestCa, type TestCa, toPem } from '../../support/certificates.ts';
import { startCrlServer } from '../../support/crl-server.ts';
import { createCrl } from '../../support/crls.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const [first, second] = [createTestCa({ subject: [['CN', 'First']] }), createTestCa({ subject: [['CN', 'Second']] })];
const storeOf = (...cas: readonly TestCa[]) => createTrustStore(cas.map(({ der }) => parseCaCertificate(der)));

/** A checker of a folder with the CRLs of both CAs, and what it logs. */
async function open(urls: readonly string[] = []) {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'first.crl'), createCrl(first));
  writeFileSync(join(folder, 'second.pem'), toPem(createCrl(second), 'X509 CRL') + second.pem);
  let trust = storeOf(first, second);
  const logged: { event: string; message: string }[] = [];
  const log = (fields: object, message: string) => {
    // Safe: every log line has an event.
    logged.push({ event: (fields as { event: string }).event, message });
  };
  const policy = { byDefault: { mode: 'require', maxStalenessMilliseconds: 0 }, byCa: new Map() } as const;
  const checker = await openCrlChecker({
    config: { paths: [folder], urls, policy, intervalMilliseconds: 60_000 },
    currentTrust: () => trust,
    cache: createLocalCrlCache(),
    log: { info: log, warn: log, error: log },
    now: Date.now,
  });
  onTestFinished(() => checker.stop());
  const trustOnly = async (...cas: readonly TestCa[]) => {
    trust = storeOf(...cas);
    await checker.reload();
  };
  return { checker, folder, logged, trustOnly };
}

const casOf = (checker: CrlChecker) => checker.crls().map(({ ca }) => ca);

test('a CRL checker removes the CRLs of a CA that is not configured any more, and loads them again', async () => {
  const { checker, logged, trustOnly } = await open();
  expect(casOf(checker)).toEqual(['CN=First', 'CN=Second']);
  await trustOnly(second);
  expect(casOf(checker)).toEqual(['CN=Second']);
  expect(logged.at(-1)?.message).toContain('first.crl: has issuer "CN=First", which is not a CA');
  await trustOnly(first, second);
  expect(casOf(checker).sort()).toEqual(['CN=First', 'CN=Second']);
});

test('a CRL checker waits until a reload is complete, and reloads once after another', async () => {
  const { checker, folder } = await open();
  writeFileSync(join(folder, 'first.crl'), createCrl(first, { revoked: [first.issue()], thisUpdate: new Date() }));
  await Promise.all([checker.reload(), checker.reload()]);
  expect(checker.crls().map(({ crl }) => crl.revoked.size)).toEqual([1, 0]);
});

test('a CRL checker keeps the CRL of a file that was removed', async () => {
  const { checker, folder } = await open();
  rmSync(join(folder, 'first.crl'));
  await checker.reload();
  expect(checker.crls().map(({ ca, isPublished }) => [ca, isPublished])).toEqual([
    ['CN=First', false],
    ['CN=Second', true],
  ]);
});

test('a CRL checker logs the parts of a file that are not read', async () => {
  const { logged } = await open();
  expect(logged.filter(({ event }) => event === 'crl_warning').map(({ message }) => message)).toEqual([
    expect.stringMatching(/^CRL from .*second\.pem: line \d+: contains a certificate, which is not read$/),
  ]);
});

test('a CRL checker fetches the CRLs behind its URLs at once when it is asked to, and reports a failure', async () => {
  const server = await startCrlServer(createCrl(first));
  onTestFinished(() => server.stop());
  const { checker, logged } = await open([server.url]);
  expect(server.requests()).toBe(1);
  server.content = createCrl(first, { revoked: [first.issue()], thisUpdate: new Date() });
  expect(await checker.fetchUrls()).toBe(true);
  expect([server.requests(), checker.crls().map(({ crl }) => crl.revoked.size)]).toEqual([2, [1, 0]]);
  server.content = undefined;
  expect(await Promise.all([checker.fetchUrls(), checker.fetchUrls()])).toEqual([false, false]);
  expect([server.requests(), logged.at(-1)?.event]).toEqual([3, 'crl_unavailable']);
});
