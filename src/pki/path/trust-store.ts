import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileErrorReason } from '../../errors/file-error.ts';
import { MAX_CERTIFICATE_MEBIBYTES, readBoundedFile } from '../../files/bounded-file.ts';
import { abbreviate } from '../../text.ts';
import {
  type CaCertificate,
  compareExpiry,
  isSelfIssued,
  isSelfSigned,
  parseCaCertificate,
} from '../certificate/ca-certificate.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { chainingKey, type EncodedName, formatDistinguishedName } from '../certificate/names/distinguished-name.ts';
import { parseCertificateFile } from '../certificate/pem.ts';

/** The configured CA certificates. Replaced as a whole: results found with one store are not used with another. */
export interface TrustStore {
  /** Self-signed certificates, in which paths end. */
  readonly anchors: readonly CaCertificate[];
  /** All others: they can be part of a path and are never anchors. */
  readonly intermediates: readonly CaCertificate[];
  /**
   * The anchors, then the intermediates, whose subject is this issuer name (see `namesChain`). Of each, those that expire
   * last come first: a CA may have been renewed with its key more often than paths are built.
   */
  findBySubject(issuer: EncodedName): readonly CaCertificate[];
  isAnchor(ca: CaCertificate): boolean;
  /** Whether a certificate is an anchor or an intermediate, by its thumbprint (`x5t#S256`). */
  has(thumbprint: string): boolean;
}

/** Duplicate certificates are kept once. */
export function createTrustStore(caCertificates: readonly CaCertificate[]): TrustStore {
  const byThumbprint = new Map(caCertificates.map((ca) => [ca.thumbprint, ca]));
  const distinct = [...byThumbprint.values()];
  const anchors = distinct.filter(isSelfSigned);
  const anchorThumbprints = new Set(anchors.map(({ thumbprint }) => thumbprint));
  const intermediates = distinct.filter(({ thumbprint }) => !anchorThumbprints.has(thumbprint));
  const sorted = [...anchors.toSorted(compareExpiry), ...intermediates.toSorted(compareExpiry)];
  const bySubject = Map.groupBy(sorted, ({ subject }) => chainingKey(subject));
  return {
    anchors,
    intermediates,
    findBySubject: (issuer) => {
      const key = chainingKey(issuer);
      return key === undefined ? [] : (bySubject.get(key) ?? []);
    },
    isAnchor: ({ thumbprint }) => anchorThumbprints.has(thumbprint),
    has: (thumbprint) => byThumbprint.has(thumbprint),
  };
}

/** The trust store of a file or folder, and what else that contains. */
export interface LoadedTrustStore {
  readonly store: TrustStore;
  /** Parts of the files that are not read, for warnings; each begins with its file. */
  readonly unread: readonly string[];
}

/**
 * Loads the CA certificates of a bundle (PEM, or one certificate in DER), or of all `*.pem`, `*.crt` and `*.cer` files
 * in a folder.
 *
 * @throws {CertificateError} naming the file, the problem and the fix
 */
export function loadTrustStore(path: string): LoadedTrustStore {
  const files = caFiles(path).map(loadCaFile);
  const store = createTrustStore(files.flatMap(({ caCertificates }) => caCertificates));
  if (store.anchors.length > 0) return { store, unread: files.flatMap(({ unread }) => unread) };
  throw new CertificateError(`${path} ${missingAnchor(store)}`);
}

/** Why no certificate of the store is an anchor. A store that contains a self-issued certificate may lack no other. */
function missingAnchor({ intermediates, findBySubject }: TrustStore): string {
  const selfIssued = intermediates.find(isSelfIssued);
  if (selfIssued) {
    return `contains no trust anchor: "${selfIssued.subjectText}" names itself as its issuer, but is not signed by its own key; add the self-signed root`;
  }
  const missing = intermediates.filter(({ issuer }) => findBySubject(issuer).length === 0).map(({ issuer }) => issuer);
  const names = new Set(missing.map((issuer) => `"${abbreviate(formatDistinguishedName(issuer))}"`));
  const fix =
    names.size > 0 ? `add the self-signed root of their chain: ${[...names].join(', ')}` : 'add a self-signed root';
  return `contains only intermediates; ${fix}`;
}

/** Other files, such as keys and notes, may be in the same folder. */
const CERTIFICATE_FILE = /^[^.].*\.(?:pem|crt|cer)$/i;

/** The path itself, or the certificate files of a folder in alphabetical order. */
export function caFiles(path: string): string[] {
  if (!locating(path, () => statSync(path)).isDirectory()) return [path];
  const files = locating(path, () => readdirSync(path)).filter((name) => CERTIFICATE_FILE.test(name));
  if (files.length === 0) throw new CertificateError(`${path} is a folder without *.pem, *.crt or *.cer files`);
  return files.sort().map((name) => join(path, name));
}

function loadCaFile(path: string): { caCertificates: CaCertificate[]; unread: string[] } {
  const { certificates, unread } = locating(path, () =>
    parseCertificateFile(readBoundedFile(path, MAX_CERTIFICATE_MEBIBYTES)),
  );
  const caCertificates = certificates.map((der, index) => {
    const location = certificates.length === 1 ? path : `${path}, certificate ${index + 1}`;
    return locating(location, () => parseCaCertificate(der));
  });
  return { caCertificates, unread: unread.map((part) => `${path}: ${part}`) };
}

/** Adds the location to the message of an error. */
function locating<Value>(location: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new CertificateError(`${location}: ${fileErrorReason(error)}`);
  }
}
