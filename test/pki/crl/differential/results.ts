import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCaCertificate } from '../../../../src/pki/certificate/ca-certificate.ts';
import { CertificateError } from '../../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../../../src/pki/certificate/client-certificate.ts';
import { CrlStore } from '../../../../src/pki/crl/crl-store.ts';
import { crlViolation } from '../../../../src/pki/crl/crl-violation.ts';
import { createTrustStore } from '../../../../src/pki/path/trust-store.ts';
import { toPem } from '../../../support/certificates.ts';
import { programPath } from '../../../support/program-path.ts';
import { runProgram } from '../../../support/run-program.ts';
import type { MintedCase } from './mint-case.ts';

export interface CountersignResult {
  readonly accepted: boolean;
  /** Why the certificate is rejected, and why each CRL was that was. */
  readonly reasons: readonly string[];
}

/** Checks the certificate as the server does in mode `require`. An operator omits CRLs that the server does not load. */
export async function checkWithCountersign({ plan, ca, certificate, crls }: MintedCase): Promise<CountersignResult> {
  const issuer = parseCaCertificate(ca.der);
  const trust = createTrustStore([issuer]);
  const store = new CrlStore({ currentTrust: () => trust, now: Date.now });
  const reasons: string[] = [];
  for (const [index, crl] of crls.entries()) {
    try {
      await store.load(`${index}.crl`, [crl]);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      reasons.push(error.message);
    }
  }
  const leaf = (plan.certificate.isCa ? parseCaCertificate : parseClientCertificate)(certificate.der);
  const policy = { byDefault: { mode: 'require', maxStalenessMilliseconds: 0 }, byCa: new Map() } as const;
  const violation = crlViolation({ leaf, caCertificates: [issuer] }, store.current, policy, Date.now());
  return { accepted: !violation, reasons: violation ? [violation.problem, ...reasons] : reasons };
}

/**
 * Checks certificates with one `openssl verify`.
 *
 * @param folder for temporary files; not used by others at the same time
 * @returns for each the number of the error, e.g. 23 for X509_V_ERR_CERT_REVOKED; 0 if it is accepted
 */
export async function checkWithOpenssl(folder: string, cases: readonly MintedCase[]): Promise<number[]> {
  const write = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const cas = write('cas.pem', cases.map(({ ca }) => ca.pem).join(''));
  const crls = write('crls.pem', cases.flatMap((one) => one.crls.map((crl) => toPem(crl, 'X509 CRL'))).join(''));
  const files = cases.map(({ certificate }, index) => write(`${index}.pem`, certificate.pem));
  const options = ['-crl_check', '-extended_crl', '-no-CApath', '-no-CAstore', '-CAfile', cas, '-CRLfile', crls];
  // Without the system configuration it starts twice as fast.
  const env = { OPENSSL_CONF: '/dev/null' };
  const { stdout, stderr } = await runProgram(programPath('openssl'), ['verify', ...options, ...files], {
    env,
    timeout: 60_000,
  });
  const errors = errorsByFile(stderr);
  return files.map((file) => {
    if (stdout.toString().includes(`${file}: OK\n`)) return 0;
    const error = errors.get(file);
    if (error === undefined) throw new Error(`no result for ${file}\n${stderr}`);
    return error;
  });
}

/** The first error of each file: its errors precede the line that says that it failed. */
function errorsByFile(stderr: string): ReadonlyMap<string, number> {
  const errors = new Map<string, number>();
  let first: number | undefined;
  for (const line of stderr.split('\n')) {
    const [, number] = /^error (\d+) at \d+ depth lookup/.exec(line) ?? [];
    const [, file] = /^error (.+): verification failed$/.exec(line) ?? [];
    if (number !== undefined) first ??= Number(number);
    if (file === undefined || first === undefined) continue;
    errors.set(file, first);
    first = undefined;
  }
  return errors;
}
