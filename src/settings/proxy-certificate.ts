import { isIP } from 'node:net';
import { normalizeAlternativeName } from '../pki/certificate/subject-alternative-names.ts';
import { parseSha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import type { ProxyCertificateRule } from '../terminator/proxy-certificate.ts';
import { type FiledCertificate, readCertificateFile } from './certificate-file.ts';
import type { Settings } from './settings.ts';

/** What the proxy's own certificate must be. */
export interface ProxyCertificate {
  readonly rules: readonly ProxyCertificateRule[];
  /** To which it is verified, PEM. */
  readonly caCertificates: readonly string[];
  readonly description: string;
}

/** The settings that ask the proxy for a certificate of its own. */
export const proxyCertificateSettings = ['PROXY_CERTIFICATE_THUMBPRINTS', 'PROXY_CA_FILE', 'PROXY_SANS'] as const;

/** Reads these settings; undefined where none is set. Faults are collected in the settings. */
export function readProxyCertificate(settings: Settings): ProxyCertificate | undefined {
  const thumbprints = settings.optional('PROXY_CERTIFICATE_THUMBPRINTS', listOf(parseCertificateThumbprint));
  const authorities = settings.optional('PROXY_CA_FILE', readCaCertificates);
  const names = settings.optional('PROXY_SANS', listOf(parseName));
  requireBoth(settings);
  const rules: ProxyCertificateRule[] = [];
  const descriptions: string[] = [];
  if (thumbprints) {
    rules.push({ kind: 'pinned', thumbprints: new Set(thumbprints) });
    descriptions.push(`(thumbprint ${thumbprints.join(' or ')})`);
  }
  if (authorities && names) {
    rules.push({ kind: 'named', names: new Set(names.map(({ compared }) => compared)) });
    const subjects = authorities.map(({ subject }) => `"${subject}"`).join(' or ');
    descriptions.push(`of CA ${subjects} for ${names.map(({ text }) => text).join(' or ')}`);
  }
  if (rules.length === 0) return undefined;
  const description = `proxy certificate ${descriptions.join(' ')}`;
  return { rules, caCertificates: (authorities ?? []).map(({ pem }) => pem), description };
}

function requireBoth(settings: Settings): void {
  const [hasAuthorities, hasNames] = [settings.has('PROXY_CA_FILE'), settings.has('PROXY_SANS')];
  if (hasAuthorities && !hasNames) {
    const reason = 'without it any certificate of COUNTERSIGN_PROXY_CA_FILE would be a proxy';
    settings.missing('PROXY_SANS', `${reason}; write the DNS names or URIs of the proxies' certificates`);
  }
  if (hasNames && !hasAuthorities) {
    settings.missing('PROXY_CA_FILE', 'anybody can put COUNTERSIGN_PROXY_SANS into a certificate of their own making');
  }
}

/** Entries with commas between; what is wrong with one is told with the entry. */
function listOf<Value>(parse: (entry: string) => Value): (text: string) => readonly Value[] {
  return (text) =>
    text.split(',').map((item) => {
      const entry = item.trim();
      try {
        return parse(entry);
      } catch (error) {
        throw new RangeError(`holds "${entry}": ${error instanceof Error ? error.message : String(error)}`);
      }
    });
}

function parseCertificateThumbprint(entry: string): string {
  return parseSha256Thumbprint(entry, 'openssl x509 -noout -fingerprint -sha256');
}

/** A DNS name or a URI, for people and as a certificate's names are compared with it. */
function parseName(text: string): { text: string; compared: string } {
  if (isIP(text) !== 0) throw new RangeError('an address; a proxy is named by a DNS name or a URI');
  const kind = text.includes(':') ? 'uri' : 'dns';
  return { text, compared: `${kind}:${normalizeAlternativeName(kind, text)}` };
}

/** @throws {RangeError} naming the file, what is wrong with it, and the mend */
function readCaCertificates(path: string): readonly FiledCertificate[] {
  const authorities = readCertificateFile(path);
  const other = authorities.find(({ x509 }) => !x509.ca);
  if (other) {
    const mend = 'to trust a single certificate, write its thumbprint in COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS';
    throw new RangeError(`names ${path}, whose certificate of ${other.subject} is not a CA's; ${mend}`);
  }
  if (authorities.some(({ x509 }) => x509.checkIssued(x509) && x509.verify(x509.publicKey))) return authorities;
  throw new RangeError(`names ${path}, which holds intermediates only; add the root that they end in`);
}
