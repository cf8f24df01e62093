import { z } from 'zod';
import { isScopeToken, MAX_SCOPE_TOKEN_LENGTH } from '../oauth/grammar.ts';

/** What editors display beside a field; the published JSON schema contains it. */
export const describedAs = (description: string) => ({ description });

/**
 * Non-empty text. The size of the file and of its lines is the only bound on most fields: operators write them, and
 * requests do not. Bounds that remain are those of the standard, or of the requests that contain the same value.
 */
export const text = () => z.string().min(1, 'must not be empty');

/** @param reason of the bound, such as the section of a standard */
export const shortText = (max: number, reason: string) =>
  text().max(max, `must be at most ${max} characters long (${reason})`);

const LAST_MILLISECOND_OF_DAY = 86_400_000 - 1;

/** An instant, or a day in UTC, which stands for its millisecond number `ofDay`. Parsed to milliseconds since the epoch. */
const instant = (ofDay: number) =>
  z.union(
    [
      z.iso.datetime({ offset: true }).transform((value) => Date.parse(value)),
      z.iso.date().transform((day) => Date.parse(day) + ofDay),
    ],
    { error: 'expected a date such as 2027-01-31 or 2027-01-31T12:00:00Z' },
  );

/** A day begins with its first millisecond and ends with its last. */
export const begin = instant(0);
export const end = instant(LAST_MILLISECOND_OF_DAY);

/** Scopes, separated by one space; none by default. */
export const scopeList = z
  .string()
  .superRefine((value, context) => {
    for (const token of value.split(' ').filter((item) => value !== '' && !isScopeToken(item))) {
      context.addIssue({ code: 'custom', message: scopeProblem(token) });
    }
  })
  .meta({ pattern: String.raw`^(?:[!#-\[\]-~]{1,256}(?: [!#-\[\]-~]{1,256})*)?$` });

function scopeProblem(token: string): string {
  if (token === '') return 'has too many spaces; separate scopes with one space';
  if (token.length > MAX_SCOPE_TOKEN_LENGTH)
    return `contains a scope of ${token.length} characters; expected at most ${MAX_SCOPE_TOKEN_LENGTH}`;
  return `contains "${token}", which is not a scope; separate scopes with one space`;
}
