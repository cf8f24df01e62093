import { beforeAll, expect, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { readCrlFile } from '../../../src/pki/crl/crl-files.ts';
import { CrlStore } from '../../../src/pki/crl/crl-store.ts';
import { crlViolation } from '../../../src/pki/crl/crl-violation.ts';
import { buildPaths } from '../../../src/pki/path/build-paths.ts';
import { createTrustStore, type TrustStore } from '../../../src/pki/path/trust-store.ts';
import { selectValidPaths } from '../../../src/pki/path/verify-chain.ts';
import { describeWith } from '../../support/describe-with.ts';
import { createOpensslCa, type OpensslCa, type OpensslCertificate } from '../../support/openssl-ca.ts';

const CLIENT = `
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
crlDistributionPoints = URI:http://ca.example/1.crl, URI:http://ca.example/2.crl`;

const idp = (...lines: readonly string[]) => `issuingDistributionPoint = critical, @idp\n[idp]\n${lines.join('\n')}`;

describeWith(['openssl'], 'CRLs made by openssl ca', () => {
  let ca: OpensslCa;
  let trust: TrustStore;
  let client: OpensslCertificate;
  beforeAll(async () => {
    ca = await createOpensslCa(
      '/O=Acme/CN=CA',
      'basicConstraints = critical, CA:TRUE\nkeyUsage = keyCertSign, cRLSign',
    );
    trust = createTrustStore([parseCaCertificate(ca.der)]);
    client = await ca.issue('client', '/O=Acme/CN=client', CLIENT);
  });

  const statusWith = async (crl: string) => {
    const store = new CrlStore({ currentTrust: () => trust, now: Date.now });
    await store.load(crl, readCrlFile(crl).crls);
    const policy = { byDefault: { mode: 'require', maxStalenessMilliseconds: 0 }, byCa: new Map() } as const;
    const found = buildPaths(parseClientCertificate(client.der), [], trust);
    return selectValidPaths(found, Date.now(), (path, now) => crlViolation(path, store.current, policy, now));
  };

  const PARTITION = 'fullname = URI:http://ca.example/';
  test.each<[name: string, extensions: string, reason: string]>([
    ['v1', '', 'path to anchor'],
    ['user', idp('onlyuser = TRUE'), 'path to anchor'],
    ['named', idp(`${PARTITION}2.crl`, 'onlyuser = TRUE'), 'path to anchor'],
    ['reasons', idp('onlysomereasons = keyCompromise, CACompromise'), 'for the reasons affiliationChanged'],
    ['CA', idp('onlyCA = TRUE'), 'lists no end-entity certificates'],
    ['other', idp(`${PARTITION}3.crl`), 'names (http://ca.example/1.crl, http://ca.example/2.crl)'],
    [
      'relative',
      idp('relativename = name', '[name]', 'CN = Partition'),
      'distribution point CN=Partition,CN=CA,O=Acme',
    ],
  ])('cover a client within their scope: %s', async (name, extensions, reason) => {
    expect((await statusWith(await ca.issueCrl(name, extensions))).reason).toContain(reason);
  });

  test.each<[name: string, extensions: string, message: string]>([
    ['indirect', idp('indirectCRL = TRUE'), 'is an indirect CRL'],
    ['attributes', idp('onlyAA = TRUE'), 'covers attribute certificates only'],
    ['delta', '2.5.29.27 = critical, DER:020101', 'is a delta CRL'],
  ])('are rejected by name: %s', async (name, extensions, message) => {
    await expect(ca.issueCrl(name, extensions).then(statusWith)).rejects.toThrow(message);
  });

  test('list a client that was revoked', async () => {
    await ca.revoke(client);
    expect((await statusWith(await ca.issueCrl('revoked', idp('onlyuser = TRUE')))).reason).toContain('is revoked');
  });
});
