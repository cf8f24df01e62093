import { parseAccept } from 'hono/utils/accept';

/**
 * Chooses the media type of a response (RFC 9110 §12.5.1): the one of those offered that `Accept` prefers. Between equal
 * weights, the range that is more specific decides, and then the order of the offer. The first is also the response to a
 * client that accepts none of them, as if it had sent no `Accept` (§12.4.1).
 *
 * @param accept undefined if the request has no such field
 * @param offered in lower case
 */
export function negotiateMediaType<Type extends string>(
  accept: string | undefined,
  offered: readonly [Type, ...Type[]],
): Type {
  const [byDefault] = offered;
  if (accept === undefined || accept === '*/*' || accept === byDefault) return byDefault;
  const ranges = parseAccept(accept).map(({ type, q }) => ({ range: type.toLowerCase(), weight: q }));
  let preferred: Preference & { readonly type: Type } = { type: byDefault, ...notAcceptable };
  for (const type of offered) {
    const preference = preferenceFor(type, ranges);
    if (isStronger(preference, preferred)) preferred = { type, ...preference };
  }
  return preferred.type;
}

interface Range {
  /** In lower case. */
  readonly range: string;
  readonly weight: number;
}

interface Preference {
  /** The qvalue: 0 if the type is not acceptable. */
  readonly weight: number;
  /** Of the range that matches the type: 2 if it is the type itself, 0 if it matches any. */
  readonly specificity: number;
}

const notAcceptable: Preference = { weight: 0, specificity: 0 };

/** The most specific range that matches a type determines its weight. Parameters of a range do not matter here. */
function preferenceFor(type: string, ranges: readonly Range[]): Preference {
  const [mainType] = type.split('/', 1);
  return (
    matchOf([type], ranges, 2) ??
    matchOf([`${mainType}/*`], ranges, 1) ??
    // Some clients write "*" for "*/*".
    matchOf(['*/*', '*'], ranges, 0) ??
    notAcceptable
  );
}

function matchOf(spellings: readonly string[], ranges: readonly Range[], specificity: number): Preference | undefined {
  const weights = ranges.filter(({ range }) => spellings.includes(range)).map(({ weight }) => weight);
  return weights.length > 0 ? { weight: Math.max(...weights), specificity } : undefined;
}

function isStronger(one: Preference, other: Preference): boolean {
  if (one.weight !== other.weight) return one.weight > other.weight;
  return one.weight > 0 && one.specificity > other.specificity;
}
