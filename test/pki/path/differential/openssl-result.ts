import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programPath } from '../../../support/program-path.ts';
import { type FinishedProgram, runProgram } from '../../../support/run-program.ts';
import type { LabelledCertificate } from './mint-pki.ts';

/** The result of `openssl verify`. */
export type OpensslResult =
  | { readonly accepted: true }
  /** The number of the error, e.g. 10 for X509_V_ERR_CERT_HAS_EXPIRED, and its text. */
  | { readonly accepted: false; readonly error: number; readonly text: string };

export interface Chain {
  readonly anchors: readonly LabelledCertificate[];
  readonly intermediates: readonly LabelledCertificate[];
  readonly leaf: LabelledCertificate;
}

/**
 * Verifies chains with one process. The CAs of each chain must have names that no other chain uses.
 *
 * @param folder for temporary files; not used by others at the same time
 * @returns whether each is accepted
 */
export async function acceptedByOpenssl(folder: string, chains: readonly Chain[]): Promise<boolean[]> {
  const leaves = chains.map(({ leaf }, index) => fileOf(folder, `leaf-${index}`, [leaf]));
  const together = {
    anchors: chains.flatMap(({ anchors }) => anchors),
    intermediates: chains.flatMap(({ intermediates }) => intermediates),
  };
  const { stdout, stderr } = await verify(folder, together, leaves);
  return leaves.map((file) => {
    const isAccepted = stdout.includes(`${file}: OK\n`);
    if (!isAccepted && !stderr.includes(`error ${file}: verification failed`)) throw new Error(stderr);
    return isAccepted;
  });
}

/** Verifies one chain, and reports what is wrong with it. */
export async function verifyWithOpenssl(folder: string, chain: Chain): Promise<OpensslResult> {
  const { code, stderr } = await verify(folder, chain, [fileOf(folder, 'leaf', [chain.leaf])]);
  if (code === 0) return { accepted: true };
  const [, error, text = ''] = /error (\d+) at \d+ depth lookup: ?(.*)/.exec(stderr) ?? [];
  if (error === undefined) throw new Error(stderr);
  return { accepted: false, error: Number(error), text };
}

type Cas = Pick<Chain, 'anchors' | 'intermediates'>;

async function verify(folder: string, { anchors, intermediates }: Cas, leaves: readonly string[]) {
  const trust = anchors.length === 0 ? ['-no-CAfile'] : ['-CAfile', fileOf(folder, 'anchors', anchors)];
  const others = intermediates.length === 0 ? [] : ['-untrusted', fileOf(folder, 'others', intermediates)];
  const options = [
    '-x509_strict',
    '-policy',
    'anyPolicy',
    '-purpose',
    'sslclient',
    '-no-CApath',
    '-no-CAstore',
    ...trust,
    ...others,
  ];
  // Without the system configuration it starts twice as fast.
  const env = { OPENSSL_CONF: '/dev/null' };
  return asText(await runProgram(programPath('openssl'), ['verify', ...options, ...leaves], { env, timeout: 60_000 }));
}

function asText({ code, stdout, stderr }: FinishedProgram) {
  return { code, stdout: stdout.toString(), stderr };
}

function fileOf(folder: string, name: string, certificates: readonly LabelledCertificate[]): string {
  const file = join(folder, `${name}.pem`);
  writeFileSync(file, certificates.map(({ pem }) => pem).join(''));
  return file;
}
