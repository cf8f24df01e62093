/** Those of a key in a Kubernetes Secret, which becomes the name of a file. */
const SECRET_KEY = /^[-._a-zA-Z0-9]+$/;

/** ISO 8601 without the colons, which such a name cannot contain. */
const TIME = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(\d{2})(\d{2})?Z)?(?=$|[-._])/;

/**
 * Parses the time from which a key signs, with which the name of its file begins: `2026-11-01.pem` or
 * `2026-11-01T1430Z.pem`, in UTC.
 *
 * @returns milliseconds since the epoch; -Infinity for a name without a time, whose key precedes all others
 * @throws {RangeError} with a predicate of the file, and the fix
 */
export function parseKeyFileName(name: string): number {
  if (!SECRET_KEY.test(name)) {
    throw new RangeError('has a name with other characters than A-Z, a-z, 0-9, "-", "_" and ".": rename it');
  }
  if (!/^\d/.test(name)) return Number.NEGATIVE_INFINITY;
  const time = parseKeyFileTime(TIME.exec(name)?.[0] ?? '');
  if (time !== undefined) return time;
  throw new RangeError(
    'has a name that begins with a digit, but not with a time in UTC such as 2026-11-01 or 2026-11-01T1430Z: rename it',
  );
}

/** Parses a time as in the name of a file. @returns milliseconds since the epoch; undefined if it is invalid */
export function parseKeyFileTime(text: string): number | undefined {
  const [whole, date, hours = '00', minutes = '00', seconds = '00'] = TIME.exec(text) ?? [];
  const iso = `${date}T${hours}:${minutes}:${seconds}.000Z`;
  const time = Date.parse(iso);
  // Date.parse accepts 31 November, and hour 24 for midnight of the next day.
  return whole === text && !Number.isNaN(time) && new Date(time).toISOString() === iso ? time : undefined;
}

/** The start of the name of a file whose key signs from a time: the shortest that expresses it to the second. */
export function keyFileTime(milliseconds: number): string {
  const [date = '', time = ''] = new Date(milliseconds).toISOString().slice(0, 19).split('T');
  if (time === '00:00:00') return date;
  return `${date}T${time.replace(/:00$/, '').replaceAll(':', '')}Z`;
}
