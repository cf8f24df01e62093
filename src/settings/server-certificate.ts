import type { PrivateKeyFile } from '../files/private-key.ts';
import { type CertificateChain, readCertificateFile } from './certificate-file.ts';
import { type KeyPair, pairWithKey, parsePrivateKey, requireValid, warnIfNotValid } from './key-pair.ts';
import { defineSettings, type Warn } from './setting.ts';
import { naming, type SettingFiles, settingFiles } from './setting-files.ts';
import { PREFIX, type Settings } from './settings.ts';

/** Both turn the public listener, and the edge listener, into HTTPS listeners. */
export const serverCertificateSettings = defineSettings('Server', {
  TLS_CERTIFICATE_FILE: {
    parse: readServerCertificateFile,
    description: "the server's certificate for HTTPS, followed by its intermediates, PEM",
    details:
      'With it, `COUNTERSIGN_LISTEN` and `COUNTERSIGN_EDGE_LISTEN` serve HTTPS (TLS 1.2 and 1.3) instead of HTTP; not on a Unix socket. ' +
      'Watched for changes, together with its key.',
    defaultDescription: 'none; serves HTTP',
    requires: { anyOf: ['TLS_KEY_FILE', 'TLS_KEY'], reason: 'set it to the key of COUNTERSIGN_TLS_CERTIFICATE_FILE' },
    mayDiffer: true,
  },
  TLS_KEY: {
    parse: parsePrivateKey,
    description: 'private key of `COUNTERSIGN_TLS_CERTIFICATE_FILE`, PEM and not encrypted',
    details: 'The file is watched for changes.',
    isSecret: true,
    requires: { anyOf: ['TLS_CERTIFICATE_FILE'], reason: 'set it to the certificate of COUNTERSIGN_TLS_KEY_FILE' },
  },
});
const { TLS_CERTIFICATE_FILE, TLS_KEY } = serverCertificateSettings;

export interface ServerCertificate extends KeyPair {
  readonly subject: string;
  /** When the first certificate of the chain expires, in milliseconds since the epoch. */
  readonly notAfter: number;
}

/** Reads certificate and key of the HTTPS listener; undefined for HTTP. Problems are collected in `settings`. */
export function readServerCertificate(settings: Settings): ServerCertificate | undefined {
  const chain = settings.read(TLS_CERTIFICATE_FILE);
  const privateKey = settings.read(TLS_KEY);
  if (!chain || privateKey === undefined) return undefined;
  return settings.attempt(TLS_KEY, () => serverCertificate(chain, privateKey));
}

/** How to read them again. Both are replaced together: a certificate without its key is a problem. */
export function serverCertificateFiles(settings: Settings): SettingFiles<ServerCertificate> | undefined {
  const certificate = settings.fileOf(TLS_CERTIFICATE_FILE);
  if (!certificate) return undefined;
  const key = settings.fileOf(TLS_KEY);
  const read = () => readServerCertificate(settings);
  return settingFiles([certificate, key], read, (warn) => {
    const chain = certificate.load(warn);
    requireValid(chain[0]);
    const privateKey = key ? key.load(warn) : settings.read(TLS_KEY);
    if (privateKey === undefined) throw new RangeError('the private key is missing');
    return naming(`${PREFIX}${settings.variableOf(TLS_KEY)}`, () => serverCertificate(chain, privateKey));
  });
}

function serverCertificate(chain: CertificateChain, privateKey: PrivateKeyFile): ServerCertificate {
  const notAfter = Math.min(...chain.map(({ x509 }) => x509.validToDate.getTime()));
  return { ...pairWithKey(chain, privateKey), subject: chain[0].subject, notAfter };
}

function readServerCertificateFile(path: string, warn: Warn) {
  const chain = readCertificateFile(path, warn);
  warnIfNotValid(chain[0], (message) => warn(`${path}: ${message}`));
  return chain;
}
