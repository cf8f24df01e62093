import { fileErrorReason } from '../errors/file-error.ts';
import { OperatorError } from '../errors/operator-error.ts';
import type { CaCertificate } from '../pki/certificate/ca-certificate.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../pki/certificate/client-certificate.ts';
import { crlFiles, readCrlFile } from '../pki/crl/crl-files.ts';
import { CrlStore } from '../pki/crl/crl-store.ts';
import { crlViolation } from '../pki/crl/crl-violation.ts';
import { buildPaths } from '../pki/path/build-paths.ts';
import type { CertificationPath } from '../pki/path/path.ts';
import type { TrustStore } from '../pki/path/trust-store.ts';
import { type ChainStatus, selectValidPaths } from '../pki/path/verify-chain.ts';

/** What a certificate is verified with. */
export interface VerificationContext {
  readonly trust: TrustStore;
  /** Files or folders of CRLs. With any, a current CRL of each CA is required. */
  readonly crl: readonly string[];
}

/** Whether the chain of a certificate is verified, and the anchors to which it was. */
export interface FileVerification {
  readonly chain: ChainStatus;
  readonly anchors: readonly CaCertificate[];
  /** Parts of the CRL files that are not read. */
  readonly unread: readonly string[];
}

/**
 * Verifies a certificate as the server does.
 *
 * @param others the further certificates in its file
 * @throws {OperatorError} when a CRL file cannot be used
 */
export async function verifyFile(
  der: Uint8Array,
  others: readonly Uint8Array[],
  { trust, crl }: VerificationContext,
): Promise<FileVerification> {
  const { current, unread } = await loadCrls(crl, trust);
  const mode = crl.length === 0 ? 'off' : 'require';
  const policy = { byDefault: { mode, maxStalenessMilliseconds: 0 }, byCa: new Map() } as const;
  const { anchors } = trust;
  const leaf = await parseOrExplain(der);
  if (typeof leaf === 'string')
    return {
      chain: { verified: false, code: 'certificate_malformed', reason: `the certificate ${leaf}` },
      anchors,
      unread,
    };
  const checkCrls = (path: CertificationPath, now: number) => crlViolation(path, current, policy, now);
  return { chain: selectValidPaths(buildPaths(leaf, others, trust), Date.now(), checkCrls), anchors, unread };
}

async function loadCrls(paths: readonly string[], trust: TrustStore) {
  const store = new CrlStore({ currentTrust: () => trust, now: Date.now });
  const unread: string[] = [];
  const problems: string[] = [];
  const attempt = async <Value>(file: string, read: () => Value) => {
    try {
      return await read();
    } catch (error) {
      problems.push(`${file}: ${fileErrorReason(error)}`);
      return undefined;
    }
  };
  const load = async (file: string) => {
    const parsed = readCrlFile(file);
    unread.push(...parsed.unread.map((part) => `${file}: ${part}`));
    await store.load(file, parsed.crls);
  };
  for (const path of paths) {
    for (const file of (await attempt(path, () => crlFiles(path))) ?? []) await attempt(file, () => load(file));
  }
  if (problems.length > 0) throw new OperatorError(problems);
  return { current: store.current, unread };
}

async function parseOrExplain(der: Uint8Array) {
  try {
    return parseClientCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
}
