import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { parseCertificateFile } from '../../../src/pki/certificate/pem.ts';
import { loadTrustStore } from '../../../src/pki/path/trust-store.ts';
import { createChainVerifier } from '../../../src/pki/path/verify-chain.ts';
import { repositoryRoot } from '../../support/repository-root.ts';

const cases = join(repositoryRoot, 'test/cases');
/** They are valid from 29 November 2026 to 17 June 2027. */
const NOW = Date.parse('2027-01-01T00:00:00Z');

/** Certificates that others reported as right and rejected. */
const rows: [title: string, folder: string, ca: string, client: string][] = [
  ['an otherName with a GeneralString', 'san-othername-generalstring', 'ca', 'client'],
  ['a CA with two OUs in one RDN', 'ca-name-two-ou-one-rdn', 'ca', 'client'],
  ['a CA with _ in a PrintableString', 'ca-name-invalid-printablestring', 'ca', 'client'],
  ['a CA with & in a PrintableString', 'ca-name-invalid-printablestring', 'ca-ampersand', 'client-ampersand'],
  ['a CA with an empty OU', 'ca-name-empty-value', 'ca', 'client'],
  ['cA FALSE written out', 'default-written-out', 'ca', 'client-ca-false'],
  ['critical FALSE written out', 'default-written-out', 'ca', 'client-critical-false'],
];

describe('a reported certificate is verified:', () => {
  test.each(rows)('%s', (_, folder, ca, client) => {
    const { store: trust } = loadTrustStore(join(cases, folder, `${ca}.pem`));
    expect(trust.anchors).toHaveLength(1);
    const { certificates } = parseCertificateFile(readFileSync(join(cases, folder, `${client}.pem`)));
    const [der = new Uint8Array()] = certificates;
    const presented = { certificate: parseClientCertificate(der), chain: [] };
    const { verified, reason } = createChainVerifier(() => trust)(presented, NOW);
    expect([verified, reason]).toEqual([true, expect.stringMatching(/^path to anchor "CN=/)]);
  });
});
