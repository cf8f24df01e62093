import { CertificateError } from '../certificate-error.ts';

/** RFC 4518 §2.2 maps these to SPACE: the white space among the controls, and every separator. */
const SPACES = /[\t-\r\p{Z}]/gu;

/**
 * What no name that we match may hold. RFC 4518 §2.4 prohibits the unassigned, private use, surrogates,
 * non-characters, U+FFFD; its §2.2 maps the rest to nothing, and there we differ (see prepareString).
 */
const REFUSED = /[\p{C}\p{Default_Ignorable_Code_Point}\u1806\ufffc\ufffd]/u;

/** A SPACE that carries a combining mark is not a space (RFC 4518 §2.6.1): `¨` normalises to one. */
const RUN_OF_SPACES = /(?: (?!\p{M}))+/gu;

const MAX_FOLDING_ROUNDS = 4;

/**
 * As many as Unicode's Stream-Safe Text Format (UAX #15 §13) has in a row: sorting them, as NFKC does, takes the square
 * of their number. The last two are no marks themselves, and become some.
 */
const MAX_MARKS = 30;
const TOO_MANY_MARKS = new RegExp(`[\\p{M}\uff9e\uff9f]{${MAX_MARKS + 1}}`, 'u');

/**
 * Prepares the text of an attribute value for comparison by caseIgnoreMatch, after RFC 4518 §2: white space is mapped
 * to SPACE, case folded, NFKC applied, and insignificant spaces removed (both ends trimmed, a run inside made one).
 * Two values match when what this returns is equal. It is idempotent.
 *
 * Narrower than the RFC on purpose, since a match here hands out an identity:
 * - What the RFC maps to nothing is refused: NUL and the other controls, zero-width characters, soft hyphen, variation
 *   selectors, tags. Else `victim<NUL>`, or `vic<ZERO WIDTH SPACE>tim`, would be equal to `victim`.
 * - NEXT LINE (U+0085) is refused with the other C1 controls; the RFC maps it to SPACE.
 * - A value with more than 30 combining marks in a row is refused; the RFC has no bound.
 * - A value without any visible character is refused; the RFC makes it two spaces.
 * - `ß` and `ss` stay different, as do all pairs that only a folding to several characters joins.
 * Wider in one respect: assigned are the characters that this runtime's Unicode assigns, not those of Unicode 3.2.
 *
 * @throws {CertificateError} naming what can't be compared
 */
export function prepareString(text: string): string {
  if (TOO_MANY_MARKS.test(text)) throw new CertificateError(`holds more than ${MAX_MARKS} combining marks in a row`);
  const prepared = collapseSpaces(foldAndNormalise(text.replace(SPACES, ' ')));
  const refused = REFUSED.exec(prepared)?.[0].codePointAt(0);
  if (refused !== undefined) throw new CertificateError(`holds ${codePointName(refused)}, which is never compared`);
  if (prepared === '') throw new CertificateError('holds no visible character');
  return prepared;
}

/** Lower-casing can undo NFKC and NFKC can bring upper case, so both are applied until neither changes the text. */
function foldAndNormalise(text: string): string {
  let folded = text;
  for (let round = 0; round < MAX_FOLDING_ROUNDS; round++) {
    // Lower-casing tells a final sigma by its neighbours; folding (RFC 3454 table B.2) does not.
    const next = folded.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ');
    if (next === folded) return folded;
    folded = next;
  }
  throw new CertificateError('has no stable normal form');
}

function collapseSpaces(text: string): string {
  const collapsed = text.replace(RUN_OF_SPACES, ' ');
  const start = /^ (?!\p{M})/u.test(collapsed) ? 1 : 0;
  const end = collapsed.length > start && collapsed.endsWith(' ') ? -1 : undefined;
  return collapsed.slice(start, end);
}

function codePointName(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}
