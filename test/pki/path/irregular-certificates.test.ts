import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { toPem } from '../../support/certificates.ts';
import { describeWith } from '../../support/describe-with.ts';
import { programPath } from '../../support/program-path.ts';
import { runProgram } from '../../support/run-program.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { verifyChain } from '../../support/verify-chain.ts';
import { ca, irregularCertificates } from './irregular/client-certificates.ts';

/** Whether the server accepts it for tls_client_auth, or why not. */
function verdictOn(der: Uint8Array): string {
  try {
    parseClientCertificate(der);
    const { verified, reason } = verifyChain({ configured: [ca], leaf: { der } });
    return verified ? 'accepted' : reason;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('an irregular client certificate is accepted, or rejected with the exact reason:', () => {
  test.each(irregularCertificates)('$what', ({ der, countersign }) => {
    const verdict = verdictOn(der);
    if (countersign === 'accepted') expect(verdict).toBe('accepted');
    else expect(verdict.slice(0, countersign.rejected.length)).toBe(countersign.rejected);
  });

  test('and no reason passes on a message of OpenSSL', () => {
    const reasons = irregularCertificates.map(({ der }) => verdictOn(der));
    expect(reasons.filter((reason) => /error:|routines|PEM/.test(reason))).toEqual([]);
  });
});

describeWith(['openssl'], 'the irregular certificates that openssl accepts', () => {
  const folder = temporaryDirectory();

  test('are the ones in the table', async () => {
    const anchor = join(folder, 'ca.pem');
    writeFileSync(anchor, ca.pem);
    const files = irregularCertificates.map(({ der }, index) => {
      const file = join(folder, `${index}.pem`);
      writeFileSync(file, toPem(der));
      return file;
    });
    const options = ['-purpose', 'sslclient', '-no-CApath', '-no-CAstore', '-CAfile', anchor];
    const env = { OPENSSL_CONF: '/dev/null' };
    const { stdout } = await runProgram(programPath('openssl'), ['verify', ...options, ...files], { env });
    const isOk = (file: string) => stdout.toString().includes(`${file}: OK\n`);
    const verdicts = irregularCertificates.map(({ what }, index) => [
      what,
      isOk(files[index] ?? '') ? 'accepts' : 'rejects',
    ]);
    expect(verdicts).toEqual(irregularCertificates.map(({ what, openssl }) => [what, openssl]));
  });
});
