const TOLD_CHARACTERS = 40;

/**
 * In words, that a number is read as another one than was written: a whole one beyond 2^53, or one that is too large.
 * A fraction is rounded as everywhere, and is not meant.
 *
 * @param source as it was written
 * @returns undefined where it is the same
 */
export function alteredNumber(source: string, value: number): string | undefined {
  return isAltered(source, value) ? `${readAs(source, value)}; put it in quotes` : undefined;
}

/** As JSON writes a number; without an exponent, with no zero at the end of its fraction. */
const USUAL = /^-?(?:0|[1-9]\d*)(?:(?:\.\d*[1-9])?|(?:\.\d+)?[eE][-+]?\d+)$/;

/**
 * The same of a number of YAML, and that it loses how it was written. Whoever writes 012 or 1.10 mostly means a text, and
 * 012 is ten to YAML 1.1.
 */
export function alteredYamlNumber(source: string, value: number): string | undefined {
  if (isAltered(source, value) || !Number.isFinite(value)) return `${readAs(source, value)}; put it in quotes`;
  return USUAL.test(source) ? undefined : `${readAs(source, value)}; write that, or put it in quotes`;
}

function readAs(source: string, value: number): string {
  const told = source.length > TOLD_CHARACTERS ? `${source.slice(0, TOLD_CHARACTERS)}…` : source;
  return `the number ${told} would be read as ${value}`;
}

function isAltered(source: string, value: number): boolean {
  const written = decimal(source);
  if (written === undefined) return Number.isInteger(value) && !Number.isSafeInteger(value);
  // What is read as a whole number has to be that very one.
  return (Number.isInteger(value) || !Number.isFinite(value)) && written !== decimal(String(value));
}

/** A decimal number in one way of the many to write it; undefined for others. */
function decimal(text: string): string | undefined {
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
