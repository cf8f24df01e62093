import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from '../../files/content-kind.ts';
import { derKind } from '../../files/der-kind.ts';
import { describeContent } from '../../files/describe-content.ts';
import { CertificateError } from '../certificate/certificate-error.ts';
import { parsePemBlocks } from '../certificate/pem.ts';

const CRL_FILE = /^[^.].*\.(?:crl|pem)$/i;

/** The path itself, or the `*.crl` and `*.pem` files of a folder in alphabetical order. */
export function crlFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => CRL_FILE.test(name))
    .sort()
    .map((name) => join(path, name));
}

/**
 * Reads the CRLs of a file.
 *
 * @returns DER
 * @throws {CertificateError} when it contains none
 */
export function readCrlFile(path: string): Uint8Array[] {
  return parseCrls(readFileSync(path));
}

const DER_SEQUENCE = 0x30;

/**
 * Splits the content of a file or a response into CRLs: its PEM blocks (`X509 CRL`), or all of it as one CRL in DER.
 *
 * @returns DER
 * @throws {CertificateError} when it contains none, naming what it contains instead
 */
export function parseCrls(content: Uint8Array): Uint8Array[] {
  const kind = content[0] === DER_SEQUENCE ? (derKind(content) ?? kinds.crl) : undefined;
  // Also if it is not recognized, so that the error names what is malformed.
  if (kind === kinds.crl) return [content];
  const { blocks } = parsePemBlocks(content, 'X509 CRL');
  if (blocks.length > 0) return blocks;
  const actual = describeContent(content);
  throw new CertificateError(
    `contains no CRL, neither PEM (-----BEGIN X509 CRL-----) nor DER${actual === undefined ? '' : `: it ${actual}`}`,
  );
}
