const TOLD_CHARACTERS = 40;

/**
 * In words, that a number is read as another one than was written: a whole one beyond 2^53, or one that is too large.
 * A fraction is rounded as everywhere, and is not meant.
 *
 * @param source as it was written
 * @returns undefined where it is the same
 */
export function alteredNumber(source: string, value: number): string | undefined {
  if (!isAltered(source, value)) return undefined;
  const told = source.length > TOLD_CHARACTERS ? `${source.slice(0, TOLD_CHARACTERS)}…` : source;
  return `the number ${told} would be read as ${value}; put it in quotes`;
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
