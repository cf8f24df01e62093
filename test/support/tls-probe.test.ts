import { expect, test } from 'vitest';
import { createTestCa } from './certificates.ts';
import { describeWith } from './describe-with.ts';
import { freePort } from './free-port.ts';
import { programPath } from './program-path.ts';
import { startListener } from './start-listener.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { acceptedSuites, chosenSuite } from './tls-probe.ts';

describeWith(['openssl'], 'the TLS probe', () => {
  const ca = createTestCa();

  async function probe(options: readonly string[], version: Parameters<typeof acceptedSuites>[1]['version']) {
    const { cert, key } = ca.issue({ eku: 'server', keyType: 'rsa-2048' }).writeTo(temporaryDirectory(), 'server');
    const port = await freePort();
    const args = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', cert, '-key', key, '-quiet', ...options];
    const server = await startListener({ command: programPath('openssl'), args, ports: [port] });
    const accepted = await acceptedSuites(port, { version, serverName: '' }).finally(server.stop);
    return { accepted, port };
  }

  test('finds suites without authentication, encryption or forward secrecy', async () => {
    const { accepted } = await probe(['-cipher', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'], 'TLSv1.2');
    const weak = ['NULL-SHA256', 'ADH-AES128-SHA', 'AECDH-NULL-SHA', 'AES128-SHA', 'AES256-GCM-SHA384'];
    expect(accepted).toEqual(expect.arrayContaining([...weak, 'DHE-RSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA256']));
    expect(accepted.filter((name) => /DSS|ECDSA|PSK|^0x/.test(name))).toEqual([]);
  });

  test('finds exactly the suites of a list', async () => {
    const { accepted } = await probe(['-cipher', 'AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384'], 'TLSv1.2');
    expect(accepted).toEqual(['AES128-SHA', 'ECDHE-RSA-AES256-GCM-SHA384']);
  });

  test.each(['TLSv1.0', 'TLSv1.1'] as const)('finds %s', async (version) => {
    const options = ['-cipher', 'AES128-SHA:@SECLEVEL=0', '-min_protocol', version.replace('.0', '')];
    expect((await probe(options, version)).accepted).toEqual(['AES128-SHA']);
    expect((await probe(options, 'TLSv1.2')).accepted).toEqual(['AES128-SHA']);
  });

  test('finds the suites of TLS 1.3', async () => {
    const options = ['-ciphersuites', 'TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_8_SHA256'];
    expect((await probe(options, 'TLSv1.3')).accepted).toEqual(['TLS_AES_128_CCM_8_SHA256', 'TLS_AES_128_GCM_SHA256']);
  });

  test('takes a server that does not respond in TLS for one that rejects', async () => {
    const port = await freePort();
    const offer = { version: 'TLSv1.2', suites: [0xc02f], serverName: '' } as const;
    expect(await chosenSuite(port, offer)).toBeUndefined();
  });
});
