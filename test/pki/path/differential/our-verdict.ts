import { type CaCertificate, parseCaCertificate } from '../../../../src/pki/certificate/ca-certificate.ts';
import { CertificateError } from '../../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../../../src/pki/certificate/client-certificate.ts';
import { findPaths } from '../../../../src/pki/path/find-paths.ts';
import { createTrustStore } from '../../../../src/pki/path/trust-store.ts';
import { selectValidPaths } from '../../../../src/pki/path/verify-chain.ts';
import type { LabelledCertificate, MintedPki } from './mint-pki.ts';

export type OurVerdict =
  /** For each path its authorities, the issuer of the leaf first. */
  | { readonly accepted: true; readonly paths: readonly (readonly LabelledCertificate[])[] }
  | { readonly accepted: false; readonly reason: string; readonly usable: UsableAuthorities };

/** Those that an operator can configure, or a client send, to some effect. */
export interface UsableAuthorities {
  readonly anchors: readonly LabelledCertificate[];
  readonly intermediates: readonly LabelledCertificate[];
  /** Why the others are none. */
  readonly faults: readonly string[];
}

type Readable = LabelledCertificate & { readonly authority: CaCertificate };

/** What the server makes of the same PKI. An operator leaves out what it refuses to load. */
export function askOurselves({ anchors, intermediates, leaf, isForwarded }: MintedPki): OurVerdict {
  const faults: string[] = [];
  const read = (list: readonly LabelledCertificate[]) => list.flatMap((one) => readOrNote(one, faults));
  const [roots, others] = [read(anchors), read(intermediates)];
  const trust = createTrustStore((isForwarded ? roots : [...roots, ...others]).map(({ authority }) => authority));
  const usable = { anchors: roots.filter(({ authority }) => trust.isAnchor(authority)), intermediates: others, faults };
  try {
    const forwarded = isForwarded ? intermediates.map(({ der }) => der) : [];
    const judgement = selectValidPaths(findPaths(parseClientCertificate(leaf.der), forwarded, trust), Date.now());
    if (!judgement.verified) return { accepted: false, reason: judgement.reason, usable };
    const labelled = ({ thumbprint }: CaCertificate) =>
      [...roots, ...others].filter(({ authority }) => authority.thumbprint === thumbprint).slice(0, 1);
    return {
      accepted: true,
      paths: judgement.paths?.map(({ caCertificates }) => caCertificates.flatMap(labelled)) ?? [],
    };
  } catch (error) {
    return { accepted: false, reason: `the leaf ${messageOf(error)}`, usable };
  }
}

function readOrNote(certificate: LabelledCertificate, faults: string[]): Readable[] {
  try {
    return [{ ...certificate, authority: parseCaCertificate(certificate.der) }];
  } catch (error) {
    faults.push(messageOf(error));
    return [];
  }
}

/** An error that is no refusal comes out. */
function messageOf(error: unknown): string {
  if (error instanceof CertificateError) return error.message;
  throw error;
}
