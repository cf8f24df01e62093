import type { Json } from '../../clients/json-value.ts';
import { reservedClaims } from '../../clients/record-schema.ts';
import { isScopeToken } from '../../oauth/grammar.ts';

/** All clients of a file of the other server, in file order. */
export interface Drafts {
  readonly drafts: readonly Draft[];
  /** Remarks about the file as a whole. */
  readonly remarks: readonly string[];
}

/** The result of importing one client of the other server. */
export type Draft = {
  /** The name of the client on the other server. */
  readonly label: string;
  /** What the import loses or changes, one sentence each. */
  readonly notes: readonly string[];
  /** Additional information; nothing is lost. */
  readonly remarks: readonly string[];
} & (
  | { readonly kind: 'client'; readonly record: RecordDraft }
  | {
      readonly kind: 'skipped';
      readonly reason: string;
      /** The fields that could be imported, to be completed manually. */
      readonly record: RecordDraft | undefined;
    }
);

/** An incomplete client record, with the fields of `clients.yaml`. */
export type RecordDraft = Readonly<Record<string, Json>>;

/** Collects notes and remarks while a client is imported. */
export interface Comments {
  readonly notes: string[];
  readonly remarks: string[];
}

/** The file of the other server cannot be imported. The message names the problem and what was expected. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/** A client of which nothing could be imported. */
export function skippedDraft(label: string, reason: string): Draft {
  return { kind: 'skipped', label, reason, record: undefined, notes: [], remarks: [] };
}

/** The record of those fields that have a value. */
export function omitUndefined(fields: Readonly<Record<string, Json | undefined>>): RecordDraft {
  const present = Object.entries(fields).filter((field): field is [string, Json] => field[1] !== undefined);
  return Object.fromEntries(present);
}

/** The scopes that a record can hold, without duplicates. Others become notes: a name with a space would be two scopes. */
export function validScopes(names: readonly string[], { notes }: Comments): string[] {
  return [...new Set(names)].filter((name) => {
    const valid = isScopeToken(name);
    if (!valid) notes.push(`the scope "${name}" was not imported: no request can contain it`);
    return valid;
  });
}

const MIN_SECONDS = 10;
const MAX_SECONDS = 86_400;

/**
 * Parses the lifetime of access tokens. A value outside the bounds of a record is replaced by the nearest bound, with a
 * note.
 *
 * @param text seconds
 * @param setting the name of the setting on the other server
 * @returns seconds; undefined, with a note, if the text is not an integer
 */
export function parseLifetime(text: string, setting: string, { notes }: Comments): number | undefined {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isInteger(seconds)) {
    notes.push(`${setting} "${text}" is not a number of seconds: the server default of 3600 applies`);
    return undefined;
  }
  const bounded = Math.min(Math.max(seconds, MIN_SECONDS), MAX_SECONDS);
  if (bounded !== seconds) {
    notes.push(`${setting} ${seconds} is not between ${MIN_SECONDS} and ${MAX_SECONDS} seconds: changed to ${bounded}`);
  }
  return bounded;
}

/** Claims, or the members of a JSON claim, by name. Built from entries, so that no name can set the prototype. */
export type JsonObject = Readonly<Record<string, Json>>;

/** Adds a member, or replaces the one of the same name. */
export function withMember(members: JsonObject, name: string, value: Json): JsonObject {
  return Object.fromEntries([...Object.entries(members).filter(([other]) => other !== name), [name, value]]);
}

/** Why a record cannot have a claim of this name; undefined if it can. */
export function claimNameProblem(name: string): string | undefined {
  if (reservedClaims.has(name)) return 'the server sets this claim itself';
  return name === '__proto__' ? 'a record cannot contain a claim of this name' : undefined;
}

/** An integer that every JSON parser represents exactly; undefined for any other text. */
export function parseSafeInteger(text: string): number | undefined {
  const value = Number(text);
  return /^-?\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}
