import { type BerElement, BerTag, bytesOf, objectIdentifierOf, parseBer } from '../ber.ts';
import { FileContentError } from '../file-content-error.ts';
import { decrypt } from './decrypt.ts';
import { IterationBudget, unsupported } from './derive-key.ts';
import { isIntact } from './integrity.ts';
import { encodingsOf, type Password, passwordError } from './password.ts';

/** What a PKCS #12 file (`.p12`, `.pfx`) contains. */
export interface Pkcs12 {
  /** DER, in the order of the file. */
  readonly certificates: readonly Uint8Array[];
  /** PrivateKeyInfo (PKCS #8) as DER. */
  readonly privateKeys: readonly Uint8Array[];
  /** Parts of the file that are not read, for warnings. */
  readonly unread: readonly string[];
}

/**
 * Parses a PKCS #12 file (RFC 7292) that a password protects.
 *
 * @param password empty for none
 * @throws {PasswordError} if the password is another one
 * @throws {FileContentError} if the file is damaged, or has algorithms that are not supported
 */
export function parsePkcs12(content: Uint8Array, password: string): Pkcs12 {
  const [, authSafe, macData] = parseBer(content).elements;
  const authenticated = contentOf(authSafe);
  if (authenticated.type !== ContentType.data) throw unsupported('is protected by a signature in place of a password');
  const bytes = bytesOf(authenticated.content);
  const budget = new IterationBudget();
  for (const encoding of encodingsOf(password)) {
    if (macData && !isIntact(macData, bytes, encoding, budget)) continue;
    const contents = readSafe(parseBer(bytes).elements, encoding, budget);
    if (contents) return contents;
  }
  throw passwordError(password);
}

/** RFC 7292 §4, RFC 5652 §4 and §8. */
const ContentType = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
} as const;

/** The type and the content of a ContentInfo. */
function contentOf(element: BerElement | undefined): { readonly type: string; readonly content: BerElement } {
  const [type, explicit] = element?.elements ?? [];
  const content = explicit?.elements[0];
  if (!type || !content) throw new FileContentError('is damaged: it has no content');
  return { type: objectIdentifierOf(type), content };
}

interface Collected {
  readonly certificates: Uint8Array[];
  readonly privateKeys: Uint8Array[];
  readonly unread: string[];
}

/** Reads every part of an AuthenticatedSafe; undefined if the password of one is another one. */
function readSafe(parts: readonly BerElement[], password: Password, budget: IterationBudget): Pkcs12 | undefined {
  const collected: Collected = { certificates: [], privateKeys: [], unread: [] };
  for (const part of parts) {
    const { type, content } = contentOf(part);
    const bags = type === ContentType.data ? bytesOf(content) : decryptPart(type, content, password, budget);
    if (!bags || !readBags(parseBer(bags), collected, { password, budget })) return undefined;
  }
  return collected;
}

/** EncryptedData (RFC 5652 §8). */
function decryptPart(
  type: string,
  { elements }: BerElement,
  password: Password,
  budget: IterationBudget,
): Uint8Array | undefined {
  if (type !== ContentType.encryptedData) throw unsupported('is encrypted for a certificate in place of a password');
  const [, algorithm, encrypted] = elements[1]?.elements ?? [];
  if (!encrypted) throw new FileContentError('is damaged: an encrypted part is empty');
  return decrypt(algorithm, bytesOf(encrypted), password, budget);
}

/** RFC 7292 §4.2. */
const BagType = {
  key: '1.2.840.113549.1.12.10.1.1',
  encryptedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
  nested: '1.2.840.113549.1.12.10.1.6',
} as const;

const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';

interface Opening {
  readonly password: Password;
  readonly budget: IterationBudget;
}

/** @returns false if the password of a key is another one */
function readBags({ elements }: BerElement, collected: Collected, opening: Opening): boolean {
  return elements.every((bag) => {
    const { type, content } = contentOf(bag);
    if (type === BagType.nested) return readBags(content, collected, opening);
    if (type === BagType.certificate) readCertificate(content, collected);
    else if (type === BagType.key) collected.privateKeys.push(content.encoded);
    else if (type === BagType.encryptedKey) return readEncryptedKey(content, collected, opening);
    else collected.unread.push(`an entry of type ${type}, which is not read`);
    return true;
  });
}

function readCertificate(element: BerElement, { certificates, unread }: Collected): void {
  const { type, content } = contentOf(element);
  if (type === X509_CERTIFICATE && content.tag === BerTag.octetString) certificates.push(bytesOf(content));
  else unread.push('a certificate that is not X.509, which is not read');
}

function readEncryptedKey({ elements }: BerElement, { privateKeys }: Collected, opening: Opening): boolean {
  const [algorithm, encrypted] = elements;
  if (!encrypted) throw new FileContentError('is damaged: a private key is empty');
  const key = decrypt(algorithm, bytesOf(encrypted), opening.password, opening.budget);
  if (key) privateKeys.push(key);
  return key !== undefined;
}
