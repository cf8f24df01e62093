import { type ContentKind, kinds } from './content-kind.ts';
import { derKind, isDerCutOff } from './der-kind.ts';
import { pemKind } from './pem-kind.ts';
import { wideEncodingProblem } from './text-encoding.ts';

/**
 * Recognizes what a file contains instead of what was expected. It never quotes the content, which may be a secret.
 *
 * @returns a predicate with the fix, such as `is UTF-16LE text: save it as UTF-8 …`; undefined if nothing is recognized
 */
export function describeContent(content: Uint8Array): string | undefined {
  if (content.length === 0) return 'is empty';
  return (
    wideEncodingProblem(content) ??
    predicate('is', binaryKind(content) ?? derKind(content)) ??
    (isDerCutOff(content) ? 'is DER that is cut off: copy the file anew' : undefined) ??
    predicate('contains', pemKind(latin1(content))) ??
    predicate('is', textKind(latin1(content.subarray(0, SAMPLE_BYTES))) ?? bareBase64Kind(content)) ??
    (content.subarray(0, SAMPLE_BYTES).includes(0) ? 'is binary' : undefined)
  );
}

/**
 * Like {@link describeContent}, for a file that should contain YAML or JSON: undefined for all JSON, and for a document
 * that contains PEM in one of its values.
 */
export function describeUnrelated(content: Uint8Array): string | undefined {
  const description = describeContent(content);
  const isDocument = description?.startsWith('contains') && !/^\s*-----BEGIN /.test(latin1(content.subarray(0, 99)));
  return isDocument || description === 'is JSON' ? undefined : description;
}

function predicate(verb: string, kind: ContentKind | undefined): string | undefined {
  if (!kind) return undefined;
  return `${verb} ${kind.name}${kind.fix === undefined ? '' : `: ${kind.fix}`}`;
}

/** By the first bytes, in hex. */
const signatures: readonly (readonly [hex: string, kind: ContentKind])[] = [
  ['1f8b', { name: 'gzip', fix: 'decompress it with gunzip' }],
  ['504b0304', { name: 'a ZIP archive', fix: 'extract the file from it' }],
  ['425a68', { name: 'bzip2', fix: 'decompress it with bunzip2' }],
  ['fd377a585a', { name: 'xz', fix: 'decompress it with unxz' }],
  ['28b52ffd', { name: 'Zstandard', fix: 'decompress it with unzstd' }],
  ['feedfeed', { name: 'a Java key store', fix: 'export PEM with keytool -exportcert -rfc' }],
  ['cececece', { name: 'a Java key store', fix: 'export PEM with keytool -exportcert -rfc' }],
  ['00474954435259505400', { name: 'encrypted by git-crypt', fix: 'run git-crypt unlock' }],
];

function binaryKind(content: Uint8Array): ContentKind | undefined {
  if (content.every((byte) => byte === 0)) return { name: 'nothing but NUL bytes', fix: 'write the file anew' };
  if (latin1(content.subarray(257, 262)) === 'ustar') return { name: 'a tar archive', fix: 'extract the file from it' };
  const hex = Buffer.from(content.subarray(0, 16)).toString('hex');
  return signatures.find(([signature]) => hex.startsWith(signature))?.[1];
}

const SAMPLE_BYTES = 4_096;

/** By the start of a text, after a byte order mark and white space. */
const starts: readonly (readonly [RegExp, ContentKind])[] = [
  [/^$/, { name: 'empty except for white space' }],
  [/^version https:\/\/git-lfs\.github\.com\//, { name: 'a Git LFS pointer', fix: 'run git lfs pull' }],
  [/^<(?:!doctype html|html|head|body)\b/i, { name: 'an HTML page', fix: 'check where it was downloaded from' }],
  [/^<\?xml\b/, { name: 'an XML document', fix: 'check where it was downloaded from' }],
  [/^Certificate:\s+Data:/, { name: 'a certificate as openssl x509 -text prints it', fix: 'omit -noout to get PEM' }],
  [/^LS0tLS1CRUdJTi/, { name: 'PEM encoded in base64 once more', fix: 'decode it with base64 -d' }],
  [/^(?:ssh-\w+|ecdsa-sha2-\S+) AAAA/, { name: 'an OpenSSH public key' }],
  [/^PuTTY-User-Key-File-/, { name: 'a PuTTY private key', fix: 'export it as OpenSSL PEM' }],
  [/^\$ANSIBLE_VAULT;/, { name: 'encrypted by Ansible Vault', fix: 'decrypt it with ansible-vault decrypt' }],
  [/^age-encryption\.org\//, { name: 'encrypted by age', fix: 'decrypt it with age -d' }],
  [/^\{\{/, { name: 'a template', fix: 'render it first' }],
  [/^\{[^{}]*"kty"\s*:/s, { name: 'a JWK' }],
  [/^\{\s*"keys"\s*:/, { name: 'a JWK Set' }],
  [/^[{[]\s*(?:["{[\]}]|$)/, { name: 'JSON' }],
  [/^30\s?[0-9a-f]{2}[0-9a-f\s]*$/i, { name: 'hexadecimal', fix: 'decode it with xxd -r -p' }],
  [/^%PDF-/, { name: 'a PDF' }],
];

function textKind(sample: string): ContentKind | undefined {
  const text = sample.replace(/^\xef\xbb\xbf/, '').trim();
  return starts.find(([pattern]) => pattern.test(text))?.[1];
}

const MAX_BASE64_BYTES = 1_048_576;

/** Base64 of a known structure, without its BEGIN and END lines. */
function bareBase64Kind(content: Uint8Array): ContentKind | undefined {
  if (content.length > MAX_BASE64_BYTES) return undefined;
  const text = latin1(content).replace(/\s/g, '');
  const kind = /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? derKind(Buffer.from(text, 'base64')) : undefined;
  if (!kind) return undefined;
  const label = kind === kinds.certificate ? 'CERTIFICATE' : '…';
  return {
    name: `the base64 of ${kind.name} without its PEM lines`,
    fix: `add -----BEGIN ${label}----- before and -----END ${label}----- after it`,
  };
}

function latin1(content: Uint8Array): string {
  return Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1');
}
