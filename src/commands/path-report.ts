import type { CertificationPath } from '../pki/path/path.ts';
import type { ChainStatus } from '../pki/path/verify-chain.ts';
import { abbreviate } from '../text.ts';
import { styled } from './output/text.ts';

/** Whether the server would verify the certificate, and its certification path. */
export interface PathReport {
  readonly verified: boolean;
  readonly reason: string;
  /** The anchor first; empty if the certificate is not verified. */
  readonly ca_certificates: readonly ReportedCa[];
  readonly subject: string;
}

interface ReportedCa {
  readonly subject: string;
  readonly public_key_thumbprint: string;
  readonly not_after: string;
}

/** @param subject of the certificate */
export function reportPath(chain: ChainStatus, subject: string): PathReport {
  const [path] = chain.verified ? (chain.paths ?? []) : [];
  const { verified, reason } = chain;
  return { verified, reason, ca_certificates: path ? reportedCas(path) : [], subject: abbreviate(subject) };
}

function reportedCas({ caCertificates }: CertificationPath): ReportedCa[] {
  return caCertificates.toReversed().map(({ subjectText, publicKeyThumbprint, notAfter }) => ({
    subject: subjectText,
    public_key_thumbprint: publicKeyThumbprint,
    not_after: new Date(notAfter).toISOString(),
  }));
}

/** Prints the path as a tree with the anchor at its root, or why there is none. */
export function printPath({ verified, reason, ca_certificates: cas, subject }: PathReport): void {
  console.log('');
  if (!verified) {
    console.log(`${styled('red', 'Not verified:')} ${reason}`);
    return;
  }
  console.log(`${styled('green', 'Verified')} certification path:`);
  const branch = (level: number) => (level === 0 ? '' : `${'   '.repeat(level - 1)}└─ `);
  for (const [level, ca] of cas.entries()) {
    const { subject: name, public_key_thumbprint: key, not_after: end } = ca;
    console.log(`${branch(level)}${name}  ${styled('dim', `key ${key}, until ${end}`)}`);
  }
  console.log(`${branch(cas.length)}${subject || '(the certificate)'}`);
}
