import { type DerElement, malformedDer, Tag } from './der-element.ts';

/** Throws when the content of an element is not in the one form that DER allows for its type (X.690 §10, §11). */
export type ContentRule = (element: DerElement, offset: number) => void;

/** The universal tags that certificates may contain. Constructed strings (0x24, 0x2c, …) are missing on purpose. */
export const contentRules: Readonly<Record<number, ContentRule>> = {
  [Tag.boolean]: requireCanonicalBoolean,
  [Tag.integer]: requireMinimalInteger,
  [Tag.bitString]: requireZeroPadding,
  [Tag.octetString]: allowAnyContent,
  [Tag.null]: requireNoContent,
  [Tag.objectIdentifier]: requireMinimalArcs,
  [Tag.enumerated]: requireMinimalInteger,
  [Tag.utf8String]: allowAnyContent,
  [Tag.numericString]: allowAnyContent,
  [Tag.printableString]: allowAnyContent,
  [Tag.teletexString]: allowAnyContent,
  [Tag.ia5String]: allowAnyContent,
  [Tag.utcTime]: (element, offset) => requireCalendarTime(element, offset, 'YYMMDDHHMMSS'.length),
  [Tag.generalizedTime]: (element, offset) => requireCalendarTime(element, offset, 'YYYYMMDDHHMMSS'.length),
  [Tag.visibleString]: allowAnyContent,
  [Tag.universalString]: allowAnyContent,
  [Tag.bmpString]: allowAnyContent,
  [Tag.sequence]: allowAnyContent,
  [Tag.set]: requireAscendingSet,
};

function allowAnyContent(): void {}

function requireMinimalInteger({ content }: DerElement, offset: number): void {
  const [first, second] = content;
  if (first === undefined) throw malformedDer('an INTEGER without content', offset);
  if (second === undefined) return;
  const isPadded = (first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80);
  if (isPadded) throw malformedDer('an INTEGER that is not minimally encoded', offset);
}

function requireCanonicalBoolean({ content }: DerElement, offset: number): void {
  const value = content[0];
  if (content.length !== 1 || (value !== 0x00 && value !== 0xff)) {
    throw malformedDer('a BOOLEAN that is neither 00 nor FF', offset);
  }
}

function requireZeroPadding({ content }: DerElement, offset: number): void {
  const unused = content[0];
  if (unused === undefined || unused > 7) throw malformedDer('a BIT STRING without a count of unused bits', offset);
  const last = content.length > 1 ? (content.at(-1) ?? 0) : 0;
  const hasNoBits = content.length === 1 && unused > 0;
  if (hasNoBits || (last & (2 ** unused - 1)) !== 0) throw malformedDer('unused bits that are not 0', offset);
}

function requireNoContent({ content }: DerElement, offset: number): void {
  if (content.length !== 0) throw malformedDer('a NULL with content', offset);
}

const MAX_OBJECT_IDENTIFIER_BYTES = 128;

function requireMinimalArcs({ content }: DerElement, offset: number): void {
  if (content.length > MAX_OBJECT_IDENTIFIER_BYTES) throw malformedDer('an OBJECT IDENTIFIER that is too long', offset);
  let startsArc = true;
  for (const byte of content) {
    if (startsArc && byte === 0x80)
      throw malformedDer('an OBJECT IDENTIFIER arc that is not minimally encoded', offset);
    startsArc = byte < 0x80;
  }
  if (content.length === 0 || !startsArc) throw malformedDer('a truncated OBJECT IDENTIFIER', offset);
}

/** X.690 §11.7 and §11.8, narrowed by RFC 5280 §4.1.2.5 to seconds, no fraction, and Z; the date must exist. */
function requireCalendarTime({ content }: DerElement, offset: number, digits: number): void {
  const text = Buffer.from(content).toString('latin1');
  if (text.length !== digits + 1 || !/^\d+Z$/.test(text)) {
    throw malformedDer('a time that is not digits followed by Z', offset);
  }
  // UTCTime has no century. The 21st serves for this check: every fourth year from 1950 to 2049 is a leap year.
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(text.padStart('YYYYMMDDHHMMSSZ'.length, '20')) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const instant = Date.parse(iso);
  if (Number.isNaN(instant) || new Date(instant).toISOString() !== iso) {
    throw malformedDer('a time that does not exist in the calendar', offset);
  }
}

/** X.690 §11.6: the elements of a SET OF are in ascending order of their encodings. */
function requireAscendingSet({ children }: DerElement, offset: number): void {
  for (const [index, child] of children.entries()) {
    const previous = children[index - 1];
    if (previous && Buffer.compare(previous.encoded, child.encoded) > 0) {
      throw malformedDer('a SET OF whose elements are not in DER order', offset);
    }
  }
}
