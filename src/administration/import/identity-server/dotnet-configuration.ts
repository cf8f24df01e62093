import { ImportError } from '../draft.ts';

/** The members of an object by lower-case name: .NET configuration keys are case-insensitive. */
export type Section = ReadonlyMap<string, Member>;

export interface Member {
  /** As written in the file. */
  readonly name: string;
  readonly value: unknown;
}

/** An item of a list. */
export interface Item {
  /** Human-readable: `Clients[0]`, or `Clients.KEY` for an object. */
  readonly location: string;
  readonly value: unknown;
}

/**
 * The members of an object; empty for any other value.
 *
 * @throws {ImportError} if two names differ only in case: .NET rejects them as well
 */
export function sectionOf(value: unknown): Section {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
  const section = new Map<string, Member>();
  for (const [name, member] of Object.entries(value)) {
    const earlier = section.get(name.toLowerCase());
    if (earlier) throw new ImportError(`"${earlier.name}" and "${name}" in one object differ only in case`);
    section.set(name.toLowerCase(), { name, value: member });
  }
  return section;
}

/** The items of a list, or the values of an object: .NET binds either to a collection. */
export function itemsOf(member: Member | undefined): Item[] {
  const value = member?.value;
  if (Array.isArray(value)) return value.map((item, index) => ({ location: `${member?.name}[${index}]`, value: item }));
  return [...sectionOf(value).values()].map(({ name, value: item }) => ({
    location: `${member?.name}.${name}`,
    value: item,
  }));
}

/** The scalar items as text. */
export function textsOf(member: Member | undefined): string[] {
  return itemsOf(member).flatMap(({ value }) => textOfValue(value) ?? []);
}

/** A scalar as text, as all values are in .NET configuration. Undefined if it is missing, null or empty. */
export function textOf(member: Member | undefined): string | undefined {
  return textOfValue(member?.value);
}

function textOfValue(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
