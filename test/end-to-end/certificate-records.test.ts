import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { suggestRecords } from '../../src/commands/certificate-records.ts';
import type { Suggestions } from '../../src/commands/suggested-record.ts';
import { CertificateError } from '../../src/pki/certificate/certificate-error.ts';
import { type ClientCertificate, parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { forwardedAs } from '../support/forwarded-as.ts';
import { hostileNames } from '../support/hostile-subjects.ts';
import { defaultPolicy } from '../support/policy.ts';
import { sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** `npm run test:identities` runs it with 500. */
const RUNS = Number(process.env.COUNTERSIGN_IDENTITIES_RUNS ?? 60);
const seed = Number(process.env.COUNTERSIGN_IDENTITIES_SEED ?? 12);

interface Subject {
  readonly certificate: MintedCertificate;
  /** Of another client of the same CA: it differs only in the parts that belong to one client. */
  readonly other: MintedCertificate;
}

interface Registration extends Subject {
  readonly clientId: string;
  readonly yaml: string;
}

describe('the records that are suggested for hostile certificates', () => {
  const ca = createTestCa();
  const folder = temporaryDirectory();
  const clientsFile = join(folder, 'clients.yaml');
  const environment = { COUNTERSIGN_CLIENT_CA_FILE: ca.writeTo(folder, 'ca').cert };
  const subjects = fc.sample(hostileNames, { numRuns: RUNS, seed }).map((namesOf, index): Subject => {
    return { certificate: ca.issue(namesOf(`${1000 + index}`)), other: ca.issue(namesOf(`${5000 + index}`)) };
  });
  const registrations: Registration[] = [];
  const suggestions: Suggestions[] = [];
  const rejections: string[] = [];
  let server: AuthorizationServer;

  beforeAll(async () => {
    for (const [index, subject] of subjects.entries()) {
      const parsed = parse(subject.certificate);
      if (typeof parsed === 'string') {
        rejections.push(parsed);
        continue;
      }
      const suggested = await suggestRecords(parsed, { chain: undefined, policy: defaultPolicy, now: Date.now() });
      suggestions.push(suggested);
      for (const [position, { yaml }] of suggested.records.entries()) {
        const clientId = `client-${index}-${position}`;
        registrations.push({ ...subject, clientId, yaml: yaml.replace('CHOOSE-ONE', clientId) });
      }
    }
    writeFileSync(clientsFile, registrations.map(({ yaml }) => `${yaml}\n`).join(''));
    server = await startAuthorizationServer({
      env: { ...environment, COUNTERSIGN_REDIS_URL: '', COUNTERSIGN_CLIENTS_FILE: clientsFile },
    });
  });
  afterAll(() => server?.stop());

  const statusFor = async (clientId: string, certificate: MintedCertificate) => {
    const lines = Object.entries(forwardedAs.nginx(certificate, [])).map(([name, value]) => `${name}: ${value}`);
    const body = { grant_type: 'client_credentials', client_id: clientId };
    return (await sendRequest(server.url, { lines, body })).status;
  };

  test('are accepted by clients check without a warning about the name', async () => {
    const { code, stdout } = await runCountersign(['clients', 'check', clientsFile, '-o', 'json'], {
      env: environment,
    });
    const { clients, errors, warnings } = JSON.parse(stdout);
    expect([code, errors, warnings]).toEqual([0, [], []]);
    expect(clients).toHaveLength(registrations.length);
  });

  test('get a token for the certificate, and none for one that another client of the CA has', async () => {
    const wrong: string[] = [];
    for (const { clientId, certificate, other, yaml } of registrations) {
      if ((await statusFor(clientId, certificate)) !== 200) wrong.push(`no token: ${yaml}`);
      if ((await statusFor(clientId, other)) !== 400) wrong.push(`token for another client: ${yaml}`);
    }
    expect(wrong).toEqual([]);
  });

  test('include those of the certificate itself, and for each missing name the reason', () => {
    for (const { records, unsuitable } of suggestions) {
      const fields = records.flatMap(({ record }) => Object.keys(record));
      expect(fields.filter((field) => field === 'certificates')).toHaveLength(2);
      const isNamed = fields.includes('tls_client_auth_subject_dn');
      const reasons = unsuitable.filter(({ field }) => field === 'tls_client_auth_subject_dn');
      expect(reasons).toHaveLength(isNamed ? 0 : 1);
      expect(unsuitable.filter(({ reason }) => reason === '')).toEqual([]);
    }
  });

  test('are missing only if the server rejects the certificate', () => {
    expect(suggestions.length).toBeGreaterThan(RUNS / 2);
    expect(rejections.filter((reason) => reason === '')).toEqual([]);
  });
});

function parse({ der }: MintedCertificate): ClientCertificate | string {
  try {
    return parseClientCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
}
