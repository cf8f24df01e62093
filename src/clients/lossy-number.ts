/**
 * Describes the loss if a number changes its value when it is parsed: an integer beyond 2^53, or a number that is too
 * large or too small. The usual rounding of fractions is not a loss.
 *
 * @param source as written
 * @returns undefined if the value is the same
 */
export function lossyNumber(source: string, value: number): string | undefined {
  return isChanged(source, value) ? `${parsedAs(source, value)}; put it in quotes` : undefined;
}

/**
 * The same for YAML, where a change of notation is a loss as well. Authors who write 012 or 1.10 mostly mean a string,
 * and 012 is ten in YAML 1.1.
 */
export function lossyYamlNumber(source: string, value: number): string | undefined {
  if (isChanged(source, value) || !Number.isFinite(value)) return `${parsedAs(source, value)}; put it in quotes`;
  return CANONICAL.test(source) ? undefined : `${parsedAs(source, value)}; write that, or put it in quotes`;
}

/** A number in the notation of JSON, and without trailing zeros in its fraction unless it has an exponent. */
const CANONICAL = /^-?(?:0|[1-9]\d*)(?:(?:\.\d*[1-9])?|(?:\.\d+)?[eE][-+]?\d+)$/;

const MAX_SOURCE_CHARACTERS = 40;

function parsedAs(source: string, value: number): string {
  const shortened = source.length > MAX_SOURCE_CHARACTERS ? `${source.slice(0, MAX_SOURCE_CHARACTERS)}…` : source;
  return `the number ${shortened} would be parsed as ${value}`;
}

function isChanged(source: string, value: number): boolean {
  const written = normalizeDecimal(source);
  if (written === undefined) return Number.isInteger(value) && !Number.isSafeInteger(value);
  // A number that is parsed as an integer must be exactly that integer.
  return (Number.isInteger(value) || !Number.isFinite(value)) && written !== normalizeDecimal(String(value));
}

/** One notation for all decimal numbers of the same value: digits and an exponent. Undefined for other numbers. */
function normalizeDecimal(text: string): string | undefined {
  const parts = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/.exec(text);
  if (!parts) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  if (end === 0) return '0';
  const power = Number(exponent) - fraction.length + (digits.length - end);
  return `${sign === '-' ? '-' : ''}${digits.slice(0, end)}e${power}`;
}
