import type { Json } from '../clients/client.ts';
import { reservedClaims } from '../clients/record-schema.ts';

/** Claims, or the members of one, by name. No name can change what an object is: none is ever assigned. */
export type Members = Readonly<Record<string, Json>>;

/** Why a record cannot have a claim of this name; undefined where it can. */
export function claimFault(name: string): string | undefined {
  if (reservedClaims.has(name)) return 'the server sets that claim itself';
  return name === '__proto__' ? 'no record can hold a claim of that name' : undefined;
}

/** The same, and this one; in place of one of that name. */
export function withMember(members: Members, name: string, value: Json): Members {
  return Object.fromEntries([...Object.entries(members).filter(([other]) => other !== name), [name, value]]);
}

/** A whole number that JSON's readers keep exactly. */
export function wholeNumber(text: string): number | undefined {
  const value = Number(text);
  return /^-?\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}
