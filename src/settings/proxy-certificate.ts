import { isIP } from 'node:net';
import { foreignCurve } from '../peer-certificates.ts';
import { normalizeAlternativeName } from '../pki/certificate/subject-alternative-names.ts';
import { parseSha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import type { ProxyCertificateRule } from '../terminator/proxy-certificate.ts';
import { type FiledCertificate, isRoot, readCertificateFile } from './certificate-file.ts';
import { listOf } from './parsers.ts';
import { defineSettings, type Warn } from './setting.ts';
import { type SettingFiles, settingFiles } from './setting-files.ts';
import type { Settings } from './settings.ts';

/** Each requires the proxy to present a certificate of its own. */
export const proxyCertificateSettings = defineSettings('Trusted proxy', {
  PROXY_CERTIFICATE_THUMBPRINTS: {
    parse: listOf(parseCertificateThumbprint),
    description: "comma-separated SHA-256 thumbprints, one of which the proxy's own certificate must have",
    details: 'In any usual notation. Requires HTTPS.',
  },
  PROXY_CA_FILE: {
    parse: readCaCertificates,
    description: "CA certificates for the proxies' own certificates, PEM, including a root",
    details: 'Requires HTTPS. Watched for changes.',
    requires: {
      anyOf: ['PROXY_SANS'],
      reason:
        'without it, every certificate of COUNTERSIGN_PROXY_CA_FILE would be a trusted proxy; ' +
        "set it to the DNS names or URIs in the proxies' certificates",
    },
  },
  PROXY_SANS: {
    parse: listOf(parseName),
    description: "comma-separated DNS names and URIs, one of which the proxy's own certificate must contain",
    details: 'For example `gw.internal` or `spiffe://mesh/ns/edge/sa/gw`.',
    requires: {
      anyOf: ['PROXY_CA_FILE'],
      reason: 'anyone can issue a certificate with the names in COUNTERSIGN_PROXY_SANS; set it to the CA to trust',
    },
    formerNames: ['PROXY_NAMES'],
  },
});

/** What the proxy's own certificate must fulfil. */
export interface ProxyCertificate {
  readonly rules: readonly ProxyCertificateRule[];
  /** PEM; the TLS listener verifies the proxy's certificate to these. */
  readonly caCertificates: readonly string[];
  readonly description: string;
}

/** How to read `COUNTERSIGN_PROXY_CA_FILE` again; undefined if it is not set. */
export function proxyCaFiles(settings: Settings): SettingFiles<readonly FiledCertificate[]> | undefined {
  const file = settings.fileOf(proxyCertificateSettings.PROXY_CA_FILE);
  const read = () => settings.read(proxyCertificateSettings.PROXY_CA_FILE);
  return file && settingFiles([file], read, file.load);
}

/** Reads these settings; undefined if none is set. Problems are collected in `settings`. */
export function readProxyCertificate(settings: Settings): ProxyCertificate | undefined {
  const thumbprints = settings.read(proxyCertificateSettings.PROXY_CERTIFICATE_THUMBPRINTS);
  const caCertificates = settings.read(proxyCertificateSettings.PROXY_CA_FILE);
  const names = settings.read(proxyCertificateSettings.PROXY_SANS);
  const rules: ProxyCertificateRule[] = [];
  const descriptions: string[] = [];
  if (thumbprints) {
    rules.push({ kind: 'pinned', thumbprints: new Set(thumbprints) });
    descriptions.push(`(thumbprint ${thumbprints.join(' or ')})`);
  }
  if (caCertificates && names) {
    rules.push({ kind: 'named', names: new Set(names.map(({ compared }) => compared)) });
    const subjects = caCertificates.map(({ subject }) => `"${subject}"`).join(' or ');
    descriptions.push(`of CA ${subjects} for ${names.map(({ text }) => text).join(' or ')}`);
  }
  if (rules.length === 0) return undefined;
  const description = `proxy certificate ${descriptions.join(' ')}`;
  return { rules, caCertificates: (caCertificates ?? []).map(({ pem }) => pem), description };
}

function parseCertificateThumbprint(entry: string): string {
  return parseSha256Thumbprint(entry, 'openssl x509 -noout -fingerprint -sha256');
}

/** Parses a DNS name or a URI: `text` as configured, `compared` as the names of a certificate are compared with it. */
function parseName(text: string): { text: string; compared: string } {
  if (isIP(text) !== 0) throw new RangeError('an IP address; expected a DNS name or a URI');
  const kind = text.includes(':') ? 'uri' : 'dns';
  return { text, compared: `${kind}:${normalizeAlternativeName(kind, text)}` };
}

/** @throws {RangeError} naming the file, what is wrong with it, and how to fix it */
function readCaCertificates(path: string, warn: Warn): readonly FiledCertificate[] {
  const certificates = readCertificateFile(path, warn);
  for (const { x509, subject } of certificates) {
    const curve = foreignCurve(x509);
    const fix = 'of proxies, only RSA, Ed25519, P-256, P-384 and P-521 are supported: use a CA with such a key';
    if (curve !== undefined) throw new RangeError(`${path}: ${subject} has a key on the curve ${curve}; ${fix}`);
  }
  const other = certificates.find(({ x509 }) => !x509.ca);
  if (other) {
    const fix = 'to trust a single certificate, put its thumbprint into COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS';
    throw new RangeError(`${path}: ${other.subject} is not a CA certificate; ${fix}`);
  }
  if (certificates.some(isRoot)) return certificates;
  throw new RangeError(`${path} contains only intermediates: add the root that issued them`);
}
