import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { startDevelopmentServer } from '../support/development-server.ts';
import { freePort } from '../support/free-port.ts';
import { serverName, startHttpsServer } from '../support/https-server.ts';
import type { RunningTerminator } from '../support/shipped-terminator.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type ShippedTerminator, type TerminatorName, terminators } from '../support/terminators.ts';
import { acceptedSuites, chosenSuite, type ProbedVersion, registeredNumbers } from '../support/tls-probe.ts';

const keyTypes = [
  ['RSA', 'rsa-2048'],
  ['ECDSA', 'ec-p256'],
] as const;
type Key = (typeof keyTypes)[number][0];

const obsolete: readonly ProbedVersion[] = ['SSLv3', 'TLSv1.0', 'TLSv1.1'];

/** What RFC 9325 §4.2 and FAPI 2.0 §5.2.2 permit: authenticated encryption with forward secrecy. */
const permitted = (key: Key) => ({
  'TLSv1.2': ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map((mode) => `ECDHE-${key}-${mode}`),
  'TLSv1.3': ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  obsolete: [],
});

async function accepted(port: number, host: string) {
  return {
    'TLSv1.2': await acceptedSuites(port, { version: 'TLSv1.2', serverName: host }),
    'TLSv1.3': await acceptedSuites(port, { version: 'TLSv1.3', serverName: host }),
    obsolete: await versionsAccepted(port, host, obsolete),
  };
}

/** The versions in which the server accepts any suite. */
async function versionsAccepted(port: number, host: string, versions: readonly ProbedVersion[]) {
  const offered = versions.map(async (version) => {
    const suite = await chosenSuite(port, { version, serverName: host, suites: registeredNumbers });
    return suite === undefined ? [] : [version];
  });
  return (await Promise.all(offered)).flat();
}

for (const name of Object.keys(terminators) as TerminatorName[]) {
  const { program, start }: ShippedTerminator = terminators[name];

  describeWith([program, 'openssl'], `the shipped configuration of ${name}`, () => {
    describe.each(keyTypes)('with an %s certificate', (key, keyType) => {
      let terminator: RunningTerminator;
      let port: number;
      beforeAll(async () => {
        const directory = temporaryDirectory();
        const ca = createTestCa();
        ca.writeTo(directory, 'client-ca');
        for (const host of [plainHost, mtlsHost]) {
          ca.issue({ eku: 'server', dns: [host], keyType }).writeTo(directory, host);
        }
        port = await freePort();
        terminator = await start({ directory, port, socket: `http://127.0.0.1:${await freePort()}` });
      });
      afterAll(async () => void (await terminator?.stop()));

      test.each([mtlsHost, plainHost])('accepts only AEAD suites with forward secrecy at %s', async (host) => {
        expect(await accepted(port, host)).toEqual(permitted(key));
      });

      test('accepts no other suite without a known server name', async () => {
        // Apache cannot reject such a handshake.
        if (name === 'apache') expect(await accepted(port, '')).toEqual(permitted(key));
        for (const host of name === 'apache' ? [] : ['', 'other.example']) {
          expect(await versionsAccepted(port, host, [...obsolete, 'TLSv1.2', 'TLSv1.3'])).toEqual([]);
        }
      });
    });
  });
}

describeWith(['openssl'], 'the HTTPS listener', () => {
  test.each(keyTypes)('with an %s certificate accepts only AEAD suites with forward secrecy', async (key, keyType) => {
    const certificate = createTestCa().issue({ eku: 'server', dns: [serverName], keyType });
    const files = certificate.writeTo(temporaryDirectory(), 'server');
    const server = await startHttpsServer({
      COUNTERSIGN_TLS_CERTIFICATE_FILE: files.cert,
      COUNTERSIGN_TLS_KEY_FILE: files.key,
    });
    const found = await accepted(Number(new URL(server.url).port), serverName).finally(server.stop);
    expect(found).toEqual(permitted(key));
  });
});

describeWith(['openssl'], 'the terminator of the development server', () => {
  test('accepts only AEAD suites with forward secrecy', async () => {
    const port = await freePort();
    const server = await startDevelopmentServer(temporaryDirectory(), port);
    const found = await accepted(port, 'localhost').finally(server.stop);
    expect(found).toEqual(permitted('ECDSA'));
  });
});
