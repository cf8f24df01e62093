import type { ListenerTls } from '../http/listen-address.ts';
import { readCertificateFile } from './certificate-file.ts';
import { pairWithKey, parsePrivateKey, warnIfNotValid } from './key-pair.ts';
import { defineSettings, type Warn } from './setting.ts';
import type { Settings } from './settings.ts';

/** Both turn the public listener, and the edge listener, into HTTPS listeners. */
export const serverCertificateSettings = defineSettings('Server', {
  TLS_CERTIFICATE_FILE: {
    parse: readServerCertificateFile,
    description: "the server's certificate for HTTPS, followed by its intermediates, PEM",
    details:
      'With it, `COUNTERSIGN_LISTEN` and `COUNTERSIGN_EDGE_LISTEN` serve HTTPS (TLS 1.2 and 1.3) instead of HTTP; not on a Unix socket.',
    defaultDescription: 'none; serves HTTP',
    requires: { anyOf: ['TLS_KEY_FILE', 'TLS_KEY'], reason: 'set it to the key of COUNTERSIGN_TLS_CERTIFICATE_FILE' },
  },
  TLS_KEY: {
    parse: parsePrivateKey,
    description: 'private key of `COUNTERSIGN_TLS_CERTIFICATE_FILE`, PEM and not encrypted',
    isSecret: true,
    requires: { anyOf: ['TLS_CERTIFICATE_FILE'], reason: 'set it to the certificate of COUNTERSIGN_TLS_KEY_FILE' },
  },
});
const { TLS_CERTIFICATE_FILE, TLS_KEY } = serverCertificateSettings;

type ServerCertificate = Pick<ListenerTls, 'certificatePem' | 'privateKeyPem'>;

/** Reads certificate and key of the HTTPS listener; undefined for HTTP. Problems are collected in `settings`. */
export function readServerCertificate(settings: Settings): ServerCertificate | undefined {
  const chain = settings.read(TLS_CERTIFICATE_FILE);
  const privateKey = settings.read(TLS_KEY);
  if (!chain || privateKey === undefined) return undefined;
  const pair = settings.attempt(TLS_KEY, () => pairWithKey(chain, privateKey));
  return pair && { certificatePem: pair.cert, privateKeyPem: pair.key };
}

function readServerCertificateFile(path: string, warn: Warn) {
  const chain = readCertificateFile(path, warn);
  warnIfNotValid(chain[0], (message) => warn(`${path}: ${message}`));
  return chain;
}
