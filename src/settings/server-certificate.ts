import { createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ListenerTls } from '../http/listen-address.ts';
import { readCertificateFile } from './certificate-file.ts';
import type { Settings } from './settings.ts';

/** The settings that make the listener one for HTTPS. */
export const serverCertificateSettings = ['TLS_CERTIFICATE_FILE', 'TLS_KEY_FILE', 'TLS_KEY'] as const;

type ServerCertificate = Pick<ListenerTls, 'certificatePem' | 'privateKeyPem'>;

/**
 * Reads the certificate and key with which the listener serves HTTPS: both, or none for HTTP. Faults are collected in
 * the settings.
 */
export function readServerCertificate(settings: Settings): ServerCertificate | undefined {
  const file = settings.optional('TLS_CERTIFICATE_FILE', (path) => ({ path, chain: readCertificateFile(path) }));
  const privateKeyPem = settings.secret('TLS_KEY', parsePrivateKey);
  const [hasCertificate, hasKey] = [settings.has('TLS_CERTIFICATE_FILE'), settings.hasSecret('TLS_KEY')];
  if (hasCertificate && !hasKey) settings.missing('TLS_KEY_FILE', 'the key of COUNTERSIGN_TLS_CERTIFICATE_FILE');
  if (hasKey && !hasCertificate) settings.missing('TLS_CERTIFICATE_FILE', 'the certificate of the key that is set');
  if (!file || privateKeyPem === undefined) return undefined;
  const [own] = file.chain;
  if (!own.x509.checkPrivateKey(createPrivateKey(privateKeyPem))) {
    const name = settings.has('TLS_KEY') ? 'TLS_KEY' : 'TLS_KEY_FILE';
    const mend = "the server's own certificate comes first in its file";
    return settings.reject(name, `is not the key of ${own.subject}, the first certificate in ${file.path}; ${mend}`);
  }
  const certificate = { certificatePem: file.chain.map(({ pem }) => pem).join(''), privateKeyPem };
  const refusal = rejectionReason(certificate);
  if (refusal === undefined) return certificate;
  return settings.reject('TLS_CERTIFICATE_FILE', `names ${file.path}, which cannot be served: ${refusal}`);
}

function parsePrivateKey(text: string): string {
  try {
    createPrivateKey(text);
    return text;
  } catch {
    // What Node says of it may quote it.
    throw new RangeError('holds no private key that can be read: PEM, and not encrypted (openssl pkey decrypts)');
  }
}

/** What OpenSSL has against it: a key that is too weak, or an order of the chain that is none. */
function rejectionReason({ certificatePem, privateKeyPem }: ServerCertificate): string | undefined {
  try {
    createSecureContext({ cert: certificatePem, key: privateKeyPem });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
