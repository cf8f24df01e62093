import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type CaCertificate, isSelfSigned, parseCaCertificate } from '../certificate/ca-certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import type { DistinguishedName } from '../certificate/names/distinguished-name.ts';
import { parseCertificateFile } from '../certificate/pem.ts';

/** The files of a folder that are read. Keys and notes may lie beside them. */
const CERTIFICATE_FILE = /^[^.].*\.(?:pem|crt|cer)$/i;

/**
 * Reads the authorities of a bundle, or of all `*.pem`, `*.crt` and `*.cer` files in a folder: PEM, or one in DER.
 *
 * @throws {CertificateError} naming the file, what is wrong with it, and the mend
 */
export function loadTrustStore(path: string): TrustStore {
  const store = createTrustStore(caFiles(path).flatMap(readCaCertificates));
  if (store.anchors.length > 0) return store;
  throw new CertificateError(`${path} holds intermediates only; add the self-signed root that they end in`);
}

/** The files themselves; a folder's in the order of their names. */
export function caFiles(path: string): string[] {
  if (!reading(path, () => statSync(path)).isDirectory()) return [path];
  const files = reading(path, () => readdirSync(path)).filter((name) => CERTIFICATE_FILE.test(name));
  if (files.length === 0) throw new CertificateError(`${path} is a folder without *.pem, *.crt or *.cer files`);
  return files.sort().map((name) => join(path, name));
}

function readCaCertificates(path: string): CaCertificate[] {
  const certificates = reading(path, () => parseCertificateFile(readFileSync(path)));
  if (certificates.length === 0) throw new CertificateError(`${path} holds no certificate, neither PEM nor DER`);
  return certificates.map((der, index) => {
    const which = certificates.length === 1 ? path : `${path}, certificate ${index + 1}`;
    return reading(which, () => parseCaCertificate(der));
  });
}

/** What is wrong is told with the place. */
function reading<Value>(place: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new CertificateError(`${place}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The authorities that the operator configured. Swapped whole: what was found with one store does not outlive it. */
export interface TrustStore {
  /** Self-signed certificates, in which paths end. */
  readonly anchors: readonly CaCertificate[];
  /** The others, which paths go through. They are never anchors. */
  readonly intermediates: readonly CaCertificate[];
  /** Anchors, and then intermediates, that are called so. A name that can't be compared is nobody's. */
  findBySubject(name: DistinguishedName): readonly CaCertificate[];
  isAnchor(authority: CaCertificate): boolean;
}

/** Certificates that stand there twice count once. */
export function createTrustStore(authorities: readonly CaCertificate[]): TrustStore {
  const distinct = [...new Map(authorities.map((authority) => [authority.thumbprint, authority])).values()];
  const anchors = distinct.filter(isSelfSigned);
  const anchorThumbprints = new Set(anchors.map(({ thumbprint }) => thumbprint));
  const intermediates = distinct.filter(({ thumbprint }) => !anchorThumbprints.has(thumbprint));
  const byName = Map.groupBy([...anchors, ...intermediates], ({ subject }) => subject.canonical);
  return {
    anchors,
    intermediates,
    findBySubject: ({ canonical }) => (canonical === undefined ? [] : (byName.get(canonical) ?? [])),
    isAnchor: ({ thumbprint }) => anchorThumbprints.has(thumbprint),
  };
}
