/**
 * The candidate with the smallest edit distance to a misspelt name, if they share most of their characters, whatever
 * their case; otherwise the only one that the name abbreviates or continues, such as `warn` for `warning`.
 *
 * Candidates and name are short and chosen by the operator: the cost is the product of their lengths.
 */
export function closestMatch(name: string, candidates: readonly string[]): string | undefined {
  const lowerCase = name.toLowerCase();
  const ranked = candidates.map((candidate) => ({
    candidate,
    distance: editDistance(lowerCase, candidate.toLowerCase()),
  }));
  const [closest] = ranked.toSorted((a, b) => a.distance - b.distance);
  const maxDistance = Math.max(2, Math.floor(name.length / 3));
  if (closest && closest.distance < closest.candidate.length && closest.distance <= maxDistance)
    return closest.candidate;
  const related = candidates.filter((candidate) => isBeginning(lowerCase, candidate.toLowerCase()));
  return related.length === 1 ? related[0] : undefined;
}

const MIN_BEGINNING = 3;

function isBeginning(a: string, b: string): boolean {
  return Math.min(a.length, b.length) >= MIN_BEGINNING && (a.startsWith(b) || b.startsWith(a));
}

/** Levenshtein distance: insertions, deletions and substitutions. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, character] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const substitution = (row[column - 1] ?? 0) + (to[column - 1] === character ? 0 : 1);
      next.push(Math.min(substitution, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
