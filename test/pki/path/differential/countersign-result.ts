import { type CaCertificate, parseCaCertificate } from '../../../../src/pki/certificate/ca-certificate.ts';
import { CertificateError } from '../../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../../../src/pki/certificate/client-certificate.ts';
import { buildPaths } from '../../../../src/pki/path/build-paths.ts';
import { createTrustStore } from '../../../../src/pki/path/trust-store.ts';
import { selectValidPaths } from '../../../../src/pki/path/verify-chain.ts';
import type { LabelledCertificate, MintedPki } from './mint-pki.ts';

export type CountersignResult =
  /** The CA certificates of each path, the issuer of the leaf first. */
  | { readonly accepted: true; readonly paths: readonly (readonly LabelledCertificate[])[] }
  | { readonly accepted: false; readonly reason: string; readonly usable: UsableCas };

/** The CA certificates that can be configured by an operator, or used if sent by a client. */
interface UsableCas {
  readonly anchors: readonly LabelledCertificate[];
  readonly intermediates: readonly LabelledCertificate[];
  /** Why the others cannot be used. */
  readonly problems: readonly string[];
}

type ParsedCa = LabelledCertificate & { readonly ca: CaCertificate };

/** Verifies a PKI as the server does. An operator omits certificates that the server refuses to load. */
export function verifyWithCountersign({ anchors, intermediates, leaf, isForwarded }: MintedPki): CountersignResult {
  const problems: string[] = [];
  const read = (list: readonly LabelledCertificate[]) => list.flatMap((one) => parseOrRecord(one, problems));
  const [roots, others] = [read(anchors), read(intermediates)];
  const trust = createTrustStore((isForwarded ? roots : [...roots, ...others]).map(({ ca }) => ca));
  const usable = { anchors: roots.filter(({ ca }) => trust.isAnchor(ca)), intermediates: others, problems };
  try {
    const forwarded = isForwarded ? intermediates.map(({ der }) => der) : [];
    const status = selectValidPaths(buildPaths(parseClientCertificate(leaf.der), forwarded, trust), Date.now());
    if (!status.verified) return { accepted: false, reason: status.reason, usable };
    const labelled = ({ thumbprint }: CaCertificate) =>
      [...roots, ...others].filter(({ ca }) => ca.thumbprint === thumbprint).slice(0, 1);
    return {
      accepted: true,
      paths: status.paths?.map(({ caCertificates }) => caCertificates.flatMap(labelled)) ?? [],
    };
  } catch (error) {
    return { accepted: false, reason: `the leaf ${messageOf(error)}`, usable };
  }
}

function parseOrRecord(certificate: LabelledCertificate, problems: string[]): ParsedCa[] {
  try {
    return [{ ...certificate, ca: parseCaCertificate(certificate.der) }];
  } catch (error) {
    problems.push(messageOf(error));
    return [];
  }
}

/** Rethrows unexpected errors. */
function messageOf(error: unknown): string {
  if (error instanceof CertificateError) return error.message;
  throw error;
}
