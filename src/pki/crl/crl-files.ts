import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readBoundedFile } from '../../files/bounded-file.ts';
import { kinds } from '../../files/content-kind.ts';
import { derKind, isDerCutOff } from '../../files/der-kind.ts';
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

/** The CRLs in a file or a response, and what else that contains. */
export interface ParsedCrls {
  /** DER. */
  readonly crls: readonly Uint8Array[];
  /** Parts that are not read, for warnings. */
  readonly unread: readonly string[];
}

/** As of a response: a CRL with a million entries has about 40 MiB. */
const MAX_MEBIBYTES = 64;

/**
 * Reads the CRLs of a file.
 *
 * @throws {CertificateError} when it contains none
 * @throws {Error} when it cannot be read, or is too large
 */
export function readCrlFile(path: string): ParsedCrls {
  return parseCrls(readBoundedFile(path, MAX_MEBIBYTES));
}

const DER_SEQUENCE = 0x30;

/**
 * Splits the content of a file or a response into CRLs: its PEM blocks (`X509 CRL`), or all of it as one CRL in DER.
 *
 * @throws {CertificateError} when it contains none, naming what it contains instead
 */
export function parseCrls(content: Uint8Array): ParsedCrls {
  if (mayBeDerCrl(content)) return { crls: [content], unread: [] };
  const { blocks, unread } = parsePemBlocks(content, 'X509 CRL');
  if (blocks.length > 0) return { crls: blocks, unread };
  const actual = describeContent(content);
  const found = actual === undefined ? unread : [`it ${actual}`];
  throw new CertificateError(['contains no CRL, neither PEM (-----BEGIN X509 CRL-----) nor DER', ...found].join(': '));
}

/** Whether it is a CRL, or DER that is not recognized: the error of the parser then names what is malformed. */
function mayBeDerCrl(content: Uint8Array): boolean {
  if (content[0] !== DER_SEQUENCE || isDerCutOff(content)) return false;
  const kind = derKind(content);
  return kind === undefined || kind === kinds.crl;
}
