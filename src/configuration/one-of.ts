/**
 * A parser that takes exactly one of these names.
 *
 * @returns the name, or throws a RangeError that lists them
 */
export function oneOf<const Name extends string>(names: readonly Name[]): (text: string) => Name {
  return (text) => {
    const known = names.find((name) => name === text);
    if (known !== undefined) return known;
    throw new RangeError(`"${text}" is not one of: ${names.join(', ')}`);
  };
}
