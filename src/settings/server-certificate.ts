import { createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ListenerTls } from '../http/listen-address.ts';
import { readCertificateFile } from './certificate-file.ts';
import { defineSettings } from './setting.ts';
import type { Settings } from './settings.ts';

/** Both turn the public listener into an HTTPS listener. */
export const serverCertificateSettings = defineSettings('Server', {
  TLS_CERTIFICATE_FILE: {
    parse: (path) => ({ path, chain: readCertificateFile(path) }),
    description: "the server's certificate for HTTPS, followed by its intermediates, PEM",
    details: 'With it, `COUNTERSIGN_LISTEN` serves HTTPS (TLS 1.2 and 1.3) instead of HTTP; not on a Unix socket.',
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
  const file = settings.read(TLS_CERTIFICATE_FILE);
  const privateKeyPem = settings.read(TLS_KEY);
  if (!file || privateKeyPem === undefined) return undefined;
  const [own] = file.chain;
  if (!own.x509.checkPrivateKey(createPrivateKey(privateKeyPem))) {
    const fix = "put the server's own certificate first";
    return settings.reject(TLS_KEY, `is not the key of ${own.subject}, the first certificate in ${file.path}: ${fix}`);
  }
  const certificate = { certificatePem: file.chain.map(({ pem }) => pem).join(''), privateKeyPem };
  return settings.attempt(TLS_CERTIFICATE_FILE, () => requireUsable(certificate, file.path));
}

function parsePrivateKey(text: string): string {
  try {
    createPrivateKey(text);
    return text;
  } catch {
    // The message of Node may quote the key.
    throw new RangeError('does not contain an unencrypted private key in PEM (decrypt one with: openssl pkey)');
  }
}

/** @throws {RangeError} if OpenSSL rejects the pair, for example a weak key or a chain in the wrong order */
function requireUsable(certificate: ServerCertificate, path: string): ServerCertificate {
  try {
    createSecureContext({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
    return certificate;
  } catch (error) {
    throw new RangeError(`${path} cannot be served: ${error instanceof Error ? error.message : String(error)}`);
  }
}
