import type { Json } from '../../clients/json-value.ts';
import { reservedClaims } from '../../clients/record-schema.ts';
import { isScopeToken } from '../../oauth/grammar.ts';

/** All clients of a file of the other server, in file order. */
export interface Drafts {
  readonly drafts: readonly Draft[];
  /** What the import loses or changes for every client. */
  readonly notes: readonly Note[];
  /** Remarks about the file as a whole. */
  readonly remarks: readonly string[];
}

/** One difference between the client on the other server and the imported one. */
export interface Note {
  /** The difference without the details of this client: the summary lists it once, with all clients that have it. */
  readonly difference: string;
  /** One sentence: what changes for this client. */
  readonly text: string;
}

/** A difference that has no details. */
export function plainNote(text: string): Note {
  return { difference: text, text };
}

/** The result of importing one client of the other server. */
export type Draft = {
  /** The name of the client on the other server. */
  readonly label: string;
  /** What the import loses or changes. */
  readonly notes: readonly Note[];
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
  readonly notes: Note[];
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

/** The differences of the functions below. */
export const SCOPE_MALFORMED = 'a scope that no request can contain was not imported';
export const LIFETIME_CHANGED = 'tokens live between 10 and 86400 seconds, and this lifetime was changed';

/** The scopes that a record can hold, without duplicates. Others become notes: a name with a space would be two scopes. */
export function validScopes(names: readonly string[], { notes }: Comments): string[] {
  return [...new Set(names)].filter((name) => {
    const valid = isScopeToken(name);
    if (!valid) {
      const text = `the scope "${name}" was not imported: no request can contain it`;
      notes.push({ difference: SCOPE_MALFORMED, text });
    }
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
    notes.push(plainNote(`${setting} "${text}" is not a number of seconds: the server default of 3600 applies`));
    return undefined;
  }
  const bounded = Math.min(Math.max(seconds, MIN_SECONDS), MAX_SECONDS);
  if (bounded !== seconds) {
    const text = `${setting} ${seconds} is not between ${MIN_SECONDS} and ${MAX_SECONDS} seconds: changed to ${bounded}`;
    notes.push({ difference: LIFETIME_CHANGED, text });
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
