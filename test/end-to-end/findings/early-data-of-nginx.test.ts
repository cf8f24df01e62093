import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../../support/certificates.ts';
import { type Deployment, formOf, mtlsHost, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import { programPath } from '../../support/program-path.ts';
import { requestBytes } from '../../support/raw-http.ts';
import { runProgram } from '../../support/run-program.ts';

const victim = selfSigned({ subject: [['CN', 'victim']] });
const request = requestBytes({
  lines: [`Host: ${mtlsHost}`, 'Connection: close', 'Content-Type: application/x-www-form-urlencoded'],
  body: formOf('victim'),
});

describeWith(['nginx', 'redis-server', 'openssl'], 'finding 8: nginx accepts the same early data twice', () => {
  let deployment: Deployment;
  let files: { cert: string; key: string };
  beforeAll(async () => {
    deployment = await startDeployment({
      replace: [
        ['ssl_early_data off;', 'ssl_early_data on;'],
        ['ssl_session_tickets off;', 'ssl_session_tickets on;'],
      ],
    });
    await deployment.register({
      client_id: 'victim',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint: victim.thumbprint }],
    });
    files = victim.writeTo(deployment.directory, 'victim');
    writeFileSync(join(deployment.directory, 'request'), request);
  });
  afterAll(() => deployment?.stop());

  /** `openssl s_client`, which can send early data. */
  function openssl(args: readonly string[], input: string | Uint8Array) {
    const identity = ['-cert', files.cert, '-key', files.key, '-CAfile', join(deployment.directory, 'server-ca.pem')];
    const address = ['-connect', `127.0.0.1:${deployment.port}`, '-servername', mtlsHost, '-tls1_3'];
    return runProgram(programPath('openssl'), ['s_client', '-ign_eof', ...identity, ...address, ...args], { input });
  }

  test('both requests get 425 and no token', async () => {
    const session = join(deployment.directory, 'session');
    const first = await deployment.watch(() => openssl(['-sess_out', session], request));
    expect(first.events).toMatchObject([{ event: 'token_issued', client_id: 'victim' }]);
    const early = ['-sess_in', session, '-early_data', join(deployment.directory, 'request')];
    let rejected = 0;
    for (let tries = 0; rejected < 2 && tries < 20; tries++) {
      const { response, events } = await deployment.watch(() => openssl(early, ''));
      const output = response.stdout.toString();
      expect(output).toContain('Early data was accepted');
      // If the handshake ended before nginx forwarded the request, the data is no longer early.
      if (output.includes('HTTP/1.1 200')) continue;
      expect(output).toContain('HTTP/1.1 425');
      expect(events).toMatchObject([
        { event: 'token_rejected', status: 425, reason: expect.stringContaining('Early-Data') },
      ]);
      rejected += 1;
    }
    expect(rejected).toBe(2);
  });
});
