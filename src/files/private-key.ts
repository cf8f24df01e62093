import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type ContentKind, kinds } from './content-kind.ts';
import { describeContent } from './describe-content.ts';
import { FileContentError } from './file-content-error.ts';
import { decodePemBlock, describeUnreadBlock, type PemBlock, parsePemFile } from './pem-file.ts';
import { kindOfLabel } from './pem-kind.ts';

/** The private key of a PEM file. */
export interface PrivateKeyFile {
  readonly key: KeyObject;
  /** Its block alone. */
  readonly pem: string;
  /** Parts of the file that are not read, for warnings. */
  readonly unread: readonly string[];
}

/** A file contains several private keys, and which one is meant is unknown. */
export class SeveralKeysError extends FileContentError {}

interface PrivateKeyOptions {
  /** The formats that the caller accepts, for messages. Default: PEM. */
  readonly accepted?: string;
  /** Of an encrypted key. By default, and if it is empty, encrypted keys are rejected. */
  readonly password?: string;
}

/**
 * Parses the private key of a PEM file: PKCS #8, PKCS #1 or SEC 1.
 *
 * @throws {FileContentError} with the cause and the fix; it never quotes the content
 */
export function parsePrivateKeyFile(
  content: Uint8Array,
  { accepted = 'PEM', password = '' }: PrivateKeyOptions = {},
): PrivateKeyFile {
  const { blocks, unread } = parsePemFile(content);
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const others = blocks.filter((block) => !keys.includes(block) && kindOfLabel(block.label) !== kinds.parameters);
  const [key, second] = keys;
  if (!key) {
    const instead = describeContent(content);
    const found = instead === undefined ? unread : [`it ${instead}`];
    throw new FileContentError([`contains no private key in ${accepted}`, ...found].join('; '));
  }
  if (second) throw new SeveralKeysError(`contains more than one private key, in lines ${key.line} and ${second.line}`);
  return { ...parseKey(key, password), unread: [...others.map(describeUnreadBlock), ...unread] };
}

function parseKey(block: PemBlock, password: string): { key: KeyObject; pem: string } {
  const isEncryptedBody = /^\s*Proc-Type: 4,ENCRYPTED/.test(block.body);
  const kind: ContentKind = isEncryptedBody ? kinds.encryptedPrivateKey : kindOfLabel(block.label);
  if (kind === kinds.encryptedPrivateKey && password !== '') return decryptKey(block, password);
  if (kind !== kinds.privateKey) throw new FileContentError(`contains ${kind.name}: ${kind.fix ?? 'not supported'}`);
  const base64 = Buffer.from(decodePemBlock(block)).toString('base64');
  const pem = joinPem(block.label, base64.match(/.{1,64}/g) ?? []);
  try {
    return { key: createPrivateKey(pem), pem };
  } catch {
    // The message of Node may quote the key.
    throw new FileContentError(
      `the ${block.label} in line ${block.line} cannot be parsed by OpenSSL: it is damaged or of an unsupported type (check it with openssl pkey -noout -in FILE)`,
    );
  }
}

function decryptKey({ label, body, line }: PemBlock, password: string): { key: KeyObject; pem: string } {
  try {
    // The lines before the first empty one state how PKCS #1 and SEC 1 are encrypted (RFC 1421 §4.6.1.1).
    const key = createPrivateKey({ key: joinPem(label, body.trim().split(/\r?\n/)), passphrase: password });
    return { key, pem: key.export({ type: 'pkcs8', format: 'pem' }).toString().trim() };
  } catch {
    const fix = 'check the password (openssl pkey -noout -in FILE)';
    throw new FileContentError(`the ${label} in line ${line} cannot be decrypted: ${fix}`);
  }
}

function joinPem(label: string, lines: readonly string[]): string {
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n');
}
