import { CertificateError } from '../certificate-error.ts';

/** RFC 4518 §2.2 maps these to SPACE: the white space among the control characters, and every separator. */
const SPACES = /[\t-\r\p{Z}]/gu;

/**
 * Characters that make a value unmatchable. RFC 4518 §2.4 prohibits unassigned and private use characters, surrogates,
 * non-characters and U+FFFD. Its §2.2 maps the others to nothing, which {@link prepareString} does not.
 */
const PROHIBITED = /[\p{C}\p{Default_Ignorable_Code_Point}\u1806\ufffc\ufffd]/u;

/** A SPACE with a combining mark is not a space (RFC 4518 §2.6.1); `¨` normalizes to one. */
const RUN_OF_SPACES = /(?: (?!\p{M}))+/gu;

/** Of these texts, the steps below change only the case: printable ASCII without insignificant spaces. */
const ONLY_FOLDED = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

const MAX_FOLDING_ROUNDS = 4;

/**
 * The limit of Unicode's Stream-Safe Text Format (UAX #15 §13): NFKC sorts a run of combining marks in quadratic time.
 * The pattern also counts U+FF9E and U+FF9F, which NFKC turns into marks.
 */
const MAX_MARKS = 30;
const TOO_MANY_MARKS = new RegExp(`[\\p{M}\uff9e\uff9f]{${MAX_MARKS + 1}}`, 'u');

/**
 * Prepares the text of an attribute value for comparison by caseIgnoreMatch (RFC 4518 §2): maps white space to SPACE,
 * folds case, applies NFKC, and removes insignificant spaces (trims both ends, collapses runs). Two values match when
 * the results are equal. The function is idempotent.
 *
 * Stricter than the RFC on purpose, since a match identifies a client:
 * - Characters that the RFC maps to nothing are rejected: NUL and other control characters, zero-width characters, soft
 *   hyphen, variation selectors, tags. Otherwise `victim<NUL>` or `vic<ZERO WIDTH SPACE>tim` would equal `victim`.
 * - NEXT LINE (U+0085) is rejected with the other C1 control characters; the RFC maps it to SPACE.
 * - A value with more than 30 combining marks in a row is rejected; the RFC has no limit.
 * - A value without any visible character is rejected; the RFC turns it into two spaces.
 * - `ß` and `ss` stay different, as do all pairs that only match after folding to several characters.
 *
 * More lenient in one respect: the assigned characters are those of this runtime's Unicode version, not of Unicode 3.2.
 *
 * @throws {CertificateError} naming what cannot be compared
 */
export function prepareString(text: string): string {
  if (ONLY_FOLDED.test(text)) return text.toLowerCase();
  if (TOO_MANY_MARKS.test(text)) throw new CertificateError(`contains more than ${MAX_MARKS} combining marks in a row`);
  const prepared = collapseSpaces(foldAndNormalize(text.replace(SPACES, ' ')));
  const prohibited = PROHIBITED.exec(prepared)?.[0].codePointAt(0);
  if (prohibited !== undefined)
    throw new CertificateError(`contains ${codePointName(prohibited)}, which never matches`);
  if (prepared === '') throw new CertificateError('contains no visible character');
  return prepared;
}

/** Lower-casing can undo NFKC and NFKC can produce upper case, so both are applied until neither changes the text. */
function foldAndNormalize(text: string): string {
  let folded = text;
  for (let round = 0; round < MAX_FOLDING_ROUNDS; round++) {
    // Lower-casing distinguishes a final sigma by its neighbours; folding (RFC 3454 table B.2) does not.
    const next = folded.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ');
    if (next === folded) return folded;
    folded = next;
  }
  throw new CertificateError('has no stable normalization');
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
