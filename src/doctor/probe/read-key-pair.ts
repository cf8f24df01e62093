import type { KeyObject } from 'node:crypto';
import { fileErrorReason } from '../../errors/file-error.ts';
import { ConfigurationError, OperatorError } from '../../errors/operator-error.ts';
import { MAX_CERTIFICATE_MEBIBYTES, readBoundedFile } from '../../files/bounded-file.ts';
import { parsePrivateKeyFile } from '../../files/private-key.ts';
import { type CertificateContainer, parseCertificateContainer } from '../../pki/certificate/certificate-container.ts';
import { parseWithOpenssl } from '../../pki/certificate/openssl-certificate.ts';
import { encodePem } from '../../pki/certificate/pem.ts';
import { type ClientKeyPair, clientKeyPair } from './client-key-pair.ts';

/** Called for each part of a file that is not read. */
type Warn = (message: string) => void;

/** The files of a certificate and its private key. */
interface KeyPairFiles {
  /** PEM, PKCS #7 or PKCS #12. Its other certificates are sent as the chain. */
  readonly certificateFile: string;
  /** PEM; undefined if the private key is in the file of the certificate. */
  readonly keyFile: string | undefined;
  /** Of PKCS #12, or of an encrypted private key; empty for none. */
  readonly password: string;
}

/**
 * Reads a certificate and its private key.
 *
 * @throws {OperatorError} with the file and the problem
 */
export function readClientKeyPair(files: KeyPairFiles, warn: Warn): ClientKeyPair {
  const { certificateFile, keyFile = certificateFile, password } = files;
  const container = parseFile(certificateFile, (content) => parseCertificateContainer(content, password));
  const key = keyOfContainer(container, files) ?? readKey(files, warn);
  // In a file that has both in PEM, the key is a part that is not read as a certificate.
  if (files.keyFile !== undefined || container.privateKeys.length > 0) warnOfUnread(certificateFile, container, warn);
  const { certificates } = container;
  const certificate = parseFile(certificateFile, () => parseWithOpenssl(certificates[0]));
  if (!certificate.checkPrivateKey(key)) throw new OperatorError([`${keyFile} is not the key of ${certificateFile}`]);
  const certificatePem = certificates.map(encodePem).join('');
  const privateKeyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return clientKeyPair({ certificatePem, privateKeyPem }, certificate, certificateFile);
}

function keyOfContainer({ privateKeys }: CertificateContainer, files: KeyPairFiles): KeyObject | undefined {
  if (files.keyFile !== undefined) return undefined;
  if (privateKeys.length < 2) return privateKeys[0];
  throw new OperatorError([`${files.certificateFile}: contains ${privateKeys.length} private keys: keep one of them`]);
}

function readKey({ certificateFile, keyFile, password }: KeyPairFiles, warn: Warn): KeyObject {
  const parse = (content: Uint8Array) => parsePrivateKeyFile(content, { password });
  if (keyFile !== undefined) {
    const file = parseFile(keyFile, parse);
    warnOfUnread(keyFile, file, warn);
    return file.key;
  }
  const hasKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(
    parseFile(certificateFile, (content) => content.toString('latin1')),
  );
  if (hasKey) return parseFile(certificateFile, parse).key;
  throw new ConfigurationError([
    `--cert requires --key: ${certificateFile} contains no private key, so pass --key FILE as well`,
  ]);
}

function warnOfUnread(file: string, { unread }: { readonly unread: readonly string[] }, warn: Warn): void {
  for (const part of unread) warn(`${file}: ${part}`);
}

/**
 * Reads the CA certificates of a file.
 *
 * @returns PEM
 * @throws {OperatorError} with the file and the problem
 */
export function readCaCertificates(file: string, warn: Warn): string {
  const container = parseFile(file, (content) => parseCertificateContainer(content, ''));
  warnOfUnread(file, container, warn);
  for (const der of container.certificates) parseFile(file, () => parseWithOpenssl(der));
  return container.certificates.map(encodePem).join('');
}

function parseFile<Value>(file: string, parse: (content: Buffer) => Value): Value {
  if (file === '') throw new ConfigurationError(['the path of the file is empty']);
  try {
    return parse(readBoundedFile(file, MAX_CERTIFICATE_MEBIBYTES));
  } catch (error) {
    const isFileError = error instanceof Error && 'syscall' in error;
    throw new OperatorError([`${file}: ${isFileError ? 'cannot be read: ' : ''}${fileErrorReason(error)}`]);
  }
}
