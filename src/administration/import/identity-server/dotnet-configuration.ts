import { abbreviate } from '../../../text.ts';
import { ImportError } from '../draft.ts';

/** The members of an object by their names in lower case: .NET's configuration makes no difference. */
export type Section = ReadonlyMap<string, Member>;

export interface Member {
  /** As it stands in the file. */
  readonly name: string;
  readonly value: unknown;
}

/** An item of a list, and where it stands, for people. */
export interface Item {
  readonly place: string;
  readonly value: unknown;
}

/**
 * The members of a value; none where it is no object.
 *
 * @throws {ImportError} where two names differ in case only: .NET refuses that, too
 */
export function sectionOf(value: unknown): Section {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
  const section = new Map<string, Member>();
  for (const [name, member] of Object.entries(value)) {
    const earlier = section.get(name.toLowerCase());
    if (earlier) throw new ImportError(`"${earlier.name}" and "${name}" stand in one object, and mean the same`);
    section.set(name.toLowerCase(), { name, value: member });
  }
  return section;
}

/** The items of a list, which .NET also takes from an object, whatever the keys. */
export function itemsOf(member: Member | undefined): Item[] {
  const value = member?.value;
  if (Array.isArray(value)) return value.map((item, index) => ({ place: `number ${index + 1}`, value: item }));
  return [...sectionOf(value).values()].map(({ name, value: item }) => ({ place: name, value: item }));
}

/** The texts among the items. */
export function textsOf(member: Member | undefined): string[] {
  return itemsOf(member).flatMap(({ value }) => textOfValue(value) ?? []);
}

/** A plain value as text: to .NET's configuration all of them are. Undefined for none, null and the empty text. */
export function textOf(member: Member | undefined): string | undefined {
  return textOfValue(member?.value);
}

/**
 * Whether it says so; the default where it says nothing.
 *
 * @throws {ImportError} where it says something else, which .NET does not take either
 */
export function flagOf(member: Member | undefined, fallback: boolean): boolean {
  const text = member?.value === '' ? '' : textOf(member);
  if (text === undefined) return fallback;
  const flag = text.trim().toLowerCase();
  if (flag === 'true' || flag === 'false') return flag === 'true';
  throw new ImportError(`"${member?.name}" is "${abbreviate(text)}"; expected true or false`);
}

function textOfValue(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
