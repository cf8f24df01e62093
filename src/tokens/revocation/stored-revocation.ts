import { ALL, type Revocation, revocationKinds } from './revocation.ts';

/**
 * The fields of a revocation in the stream: its kind and value, `before` unless it is a single token, and `exp`; such as
 * `client billing before 1800000000 exp 1800086705`. Times are in seconds since the epoch.
 */
export function streamFields({ kind, value, before, expiresAt }: Revocation): readonly string[] {
  return [kind, value, ...(before === ALL ? [] : ['before', String(before)]), 'exp', String(expiresAt)];
}

/** @returns undefined if the fields are not those of a revocation */
export function parseStreamFields(fields: readonly string[]): Revocation | undefined {
  const [kindText, value, ...times] = fields;
  const kind = revocationKinds.find((known) => known === kindText);
  if (kind === undefined || value === undefined) return undefined;
  const [beforeText, expiresText] = kind === 'jti' ? [String(ALL), timeAt(times, 0, 'exp')] : cutOffTimes(times);
  const [before, expiresAt] = [parseSeconds(beforeText), parseSeconds(expiresText)];
  return before === undefined || expiresAt === undefined ? undefined : { kind, value, before, expiresAt };
}

function cutOffTimes(times: readonly string[]): readonly [string | undefined, string | undefined] {
  return [timeAt(times, 0, 'before'), timeAt(times, 2, 'exp')];
}

/** Further fields of a later version are not read. */
function timeAt(times: readonly string[], index: number, name: string): string | undefined {
  return times[index] === name ? times[index + 1] : undefined;
}

/** In 32 bits, as the table stores it. */
function parseSeconds(text: string | undefined): number | undefined {
  const seconds = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return seconds <= ALL ? seconds : undefined;
}

/** The value of the key of a revocation: JSON with its subject, `before` unless it is a single token, and `exp`. */
export function keyValue({ kind, value, before, expiresAt }: Revocation): string {
  return JSON.stringify({ [kind]: value, ...(before !== ALL && { before }), exp: expiresAt });
}

/** @returns the last `iat` that a value revokes: of a malformed one every `iat`, since nothing else writes the key */
export function parseKeyValue(text: string): number {
  try {
    const { before }: { readonly before?: unknown } = JSON.parse(text);
    return typeof before === 'number' && before >= 0 && before <= ALL ? before : ALL;
  } catch {
    return ALL;
  }
}
