import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateError } from '../certificate/certificate-error.ts';
import { parsePemBlocks } from '../certificate/pem.ts';

/** The files of a folder that are read. */
const CRL_FILE = /^[^.].*\.(?:crl|pem)$/i;
const DER_SEQUENCE = 0x30;

/** The files that a path names: itself, or the `*.crl` and `*.pem` of a folder in the order of their names. */
export function crlFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => CRL_FILE.test(name))
    .sort()
    .map((name) => join(path, name));
}

/**
 * Reads the CRLs of a file: those of its PEM blocks (`X509 CRL`), or the whole file as one in DER.
 *
 * @returns DER
 * @throws {CertificateError} when it holds none
 */
export function readCrlFile(path: string): Uint8Array[] {
  return parseCrls(readFileSync(path));
}

/** The same for what a server answered. */
export function parseCrls(content: Uint8Array): Uint8Array[] {
  if (content[0] === DER_SEQUENCE) return [content];
  const blocks = parsePemBlocks(
    Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1'),
    'X509 CRL',
  );
  if (blocks.length === 0) throw new CertificateError('holds no CRL, neither PEM (-----BEGIN X509 CRL-----) nor DER');
  return blocks;
}
