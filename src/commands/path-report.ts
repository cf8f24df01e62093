import { OperatorError } from '../operator-error.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../pki/certificate/client-certificate.ts';
import { crlFiles, readCrlFile } from '../pki/crl/crl-files.ts';
import { CrlStore } from '../pki/crl/crl-store.ts';
import { crlViolation } from '../pki/crl/crl-violation.ts';
import { buildPaths } from '../pki/path/build-paths.ts';
import type { CertificationPath } from '../pki/path/path.ts';
import { loadTrustStore, type TrustStore } from '../pki/path/trust-store.ts';
import { selectValidPaths } from '../pki/path/verify-chain.ts';
import { styled } from './output/text.ts';

export interface PathOptions {
  /** As `COUNTERSIGN_CLIENT_CA_FILE`. */
  readonly ca?: string | undefined;
  /** CRL files; with any, one of each CA is required. */
  readonly crl?: readonly string[] | undefined;
}

/** Whether the server would verify the certificate, and through which CAs. */
export interface PathReport {
  readonly verified: boolean;
  readonly reason: string;
  /** The anchor first; empty where it is not verified. */
  readonly ca_certificates: readonly ReportedCa[];
  readonly subject: string;
}

interface ReportedCa {
  readonly subject: string;
  readonly public_key_thumbprint: string;
  readonly not_after: string;
}

/**
 * Verifies a certificate as the server does.
 *
 * @param others what stands behind it in its file
 * @throws {OperatorError} when a file cannot be used
 */
export async function verifyFile(
  der: Uint8Array,
  others: readonly Uint8Array[],
  { ca = '', crl = [] }: PathOptions,
): Promise<PathReport> {
  const trust = await explaining(async () => loadTrustStore(ca));
  const { current } = await explaining(() => readLists(crl, trust));
  const mode = crl.length === 0 ? 'off' : 'require';
  const policy = { byDefault: { mode, maxStalenessMilliseconds: 0 }, byCa: new Map() } as const;
  const leaf = await parseOrExplain(der);
  if (typeof leaf === 'string')
    return { verified: false, reason: `the certificate ${leaf}`, ca_certificates: [], subject: '' };
  const faultAt = (path: CertificationPath, now: number) => crlViolation(path, current, policy, now);
  const judgement = selectValidPaths(buildPaths(leaf, others, trust), Date.now(), faultAt);
  const [path] = judgement.verified ? (judgement.paths ?? []) : [];
  const { verified, reason } = judgement;
  return { verified, reason, ca_certificates: path ? casOf(path) : [], subject: leaf.subjectText };
}

async function readLists(files: readonly string[], trust: TrustStore): Promise<CrlStore> {
  const lists = new CrlStore(() => trust);
  for (const file of files.flatMap(crlFiles)) await offerFile(file, lists);
  return lists;
}

async function offerFile(file: string, lists: CrlStore): Promise<void> {
  try {
    for (const crl of readCrlFile(file)) await lists.add(crl);
  } catch (error) {
    throw new CertificateError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function parseOrExplain(der: Uint8Array) {
  try {
    return parseClientCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
}

async function explaining<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    throw new OperatorError([error instanceof Error ? error.message : String(error)]);
  }
}

function casOf({ caCertificates: ca_certificates }: CertificationPath): ReportedCa[] {
  return ca_certificates.toReversed().map(({ subjectText, publicKeyThumbprint, notAfter }) => ({
    subject: subjectText,
    public_key_thumbprint: publicKeyThumbprint,
    not_after: new Date(notAfter).toISOString(),
  }));
}

/** A small tree, the anchor at its root. */
export function printPath({ verified, reason, ca_certificates, subject }: PathReport): void {
  console.log('');
  if (!verified) {
    console.log(`${styled('red', 'Not verified:')} ${reason}`);
    return;
  }
  console.log(
    `${styled('green', 'Verified')} to ${ca_certificates.length === 1 ? 'an anchor' : 'an anchor, through'}:`,
  );
  const branch = (level: number) => (level === 0 ? '' : `${'   '.repeat(level - 1)}└─ `);
  for (const [level, authority] of ca_certificates.entries()) {
    const { subject: name, public_key_thumbprint: key, not_after: end } = authority;
    console.log(`${branch(level)}${name}  ${styled('dim', `key ${key}, until ${end}`)}`);
  }
  console.log(`${branch(ca_certificates.length)}${subject || '(the certificate)'}`);
}
