import { type ContentKind, kinds } from './content-kind.ts';

/**
 * Recognizes the kinds of DER and BER by their outline: the tags of the outer SEQUENCE's elements, of which the
 * SEQUENCEs list the tags of theirs. One-byte INTEGERs and object identifiers include their value.
 */
const outlines: readonly (readonly [outline: RegExp, kind: ContentKind])[] = [
  // TBSCertificate: version (not in v1), serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo.
  [/^30\((?:a0 )?02\S* 30 30 30 30 30/, kinds.certificate],
  // TBSCertList: version (not in v1), signature, issuer, thisUpdate.
  [/^30\((?:02\S* )?30 30 1[78]/, kinds.crl],
  [/^30\(02=0 30 30(?: a0)?\) 30\S* 03$/, kinds.certificateRequest],
  [/^02=3 30\(06=2a864886f70d0107/, kinds.pkcs12],
  [/^06=2a864886f70d0107/, kinds.pkcs7Der],
  // PKCS #8, PKCS #1 (also DSA), SEC 1.
  [/^02=[01] 30\(06|^02=0 02\S* 02|^02=1 04/, kinds.privateKey],
  // EncryptedPrivateKeyInfo with an algorithm of PKCS #5 or PKCS #12.
  [/^30\(06=2a864886f70d01(?:05|0c01)\S* 30\) 04$/, kinds.encryptedPrivateKey],
  [/^30\(06[^)]*\) 03$|^02\S* 02\S*$/, kinds.publicKey],
];

/** The kind of a DER or BER structure; undefined if it is none of the known ones. Does not validate it. */
export function derKind(content: Uint8Array): ContentKind | undefined {
  const [outer] = elements(content, 0, content.length);
  if (outer?.tag !== SEQUENCE) return undefined;
  const outline = outlineOf(content, outer, 2);
  return outlines.find(([pattern]) => pattern.test(outline))?.[1];
}

/** Whether the content starts like DER in binary, and is shorter than its first length field states. */
export function isDerCutOff(content: Uint8Array): boolean {
  const [tag, length = 0] = content;
  return tag === SEQUENCE && length > 0x80 && length <= 0x84 && elements(content, 0, content.length).length === 0;
}

const INTEGER = 0x02;
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** No known structure needs more. */
const MAX_ELEMENTS = 8;

function outlineOf(content: Uint8Array, { start, end }: Element, depth: number): string {
  const outlines = elements(content, start, end).map((element) => {
    const { tag, start: from, end: to } = element;
    const name = tag.toString(16).padStart(2, '0');
    if (tag === INTEGER && to - from === 1) return `${name}=${content[from]}`;
    if (tag === OBJECT_IDENTIFIER) return `${name}=${Buffer.from(content.subarray(from, to)).toString('hex')}`;
    return tag === SEQUENCE && depth > 1 ? `${name}(${outlineOf(content, element, depth - 1)})` : name;
  });
  return outlines.join(' ');
}

/** The first elements between two offsets. Stops silently where they are malformed. */
function elements(content: Uint8Array, start: number, end: number): Element[] {
  const found: Element[] = [];
  for (let at = start; at + 2 <= end && found.length < MAX_ELEMENTS; ) {
    const element = elementAt(content, at, end);
    if (!element) break;
    found.push(element);
    at = element.end;
  }
  return found;
}

function elementAt(content: Uint8Array, at: number, end: number): Element | undefined {
  const [tag = 0, first = 0] = content.subarray(at, end);
  // An indefinite length (BER, as in many PKCS #12 and PKCS #7 files): what follows the element is not needed.
  if (first === 0x80) return { tag, start: at + 2, end };
  const lengthBytes = first > 0x80 ? first - 0x80 : 0;
  if (lengthBytes > 4) return undefined;
  const start = at + 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : content.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  return start + length > end ? undefined : { tag, start, end: start + length };
}
