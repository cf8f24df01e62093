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
  const ranges = parseAccept(accept).map(({ type, q }) => ({ range: type.toLowerCase(), q }));
  let best: Preference & { readonly type: Type } = { type: byDefault, weight: 0, specificity: -1 };
  for (const type of offered) {
    const preference = preferenceFor(type, ranges);
    if (isStronger(preference, best)) best = { type, ...preference };
  }
  return best.type;
}

interface Preference {
  /** The qvalue: 0 if the type is not acceptable. */
  readonly weight: number;
  /** Of the range that the type matches: how much of the type it names. */
  readonly specificity: number;
}

/** The most specific range that matches a type determines its weight. Parameters of a range do not matter here. */
function preferenceFor(type: string, ranges: readonly { range: string; q: number }[]): Preference {
  const [mainType] = type.split('/', 1);
  // Some clients write "*" for "*/*".
  const matching = [['*/*', '*'], [`${mainType}/*`], [type]];
  for (const [specificity, spellings] of [...matching.entries()].reverse()) {
    const weights = ranges.filter(({ range }) => spellings.includes(range)).map(({ q }) => q);
    if (weights.length > 0) return { weight: Math.max(...weights), specificity };
  }
  return { weight: 0, specificity: -1 };
}

function isStronger(one: Preference, other: Preference): boolean {
  if (one.weight !== other.weight) return one.weight > other.weight;
  return one.weight > 0 && one.specificity > other.specificity;
}
