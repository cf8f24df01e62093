import { methodOf, type Registration } from './methods/methods.ts';

/**
 * Of the clients that one certificate authenticates: those that no other has precedence over. One is the client of the
 * certificate; several make it ambiguous.
 *
 * A SPIFFE ID, or URI, precedes the patterns that it matches, and a pattern precedes those with fewer literal segments.
 * Nothing else has precedence: any other client with the same certificate makes it ambiguous.
 *
 * @param matches also those of disabled clients: the certificate of a disabled client must not become that of a pattern
 */
export function mostSpecific<Match extends { readonly registration: Registration }>(
  matches: readonly Match[],
): readonly Match[] {
  if (matches.length < 2) return matches;
  const ranks = matches.map(({ registration }) => methodOf(registration)?.specificity(registration));
  const highest = Math.max(...ranks.map((rank) => rank ?? -1));
  return matches.filter((_, index) => ranks[index] === undefined || ranks[index] === highest);
}
