import type { Json } from '../../clients/json-value.ts';
import { reservedClaims } from '../../clients/record-schema.ts';
import { isScopeToken } from '../../oauth/scope.ts';

/** Claims, or the members of one, by name. No name can change what an object is: none is ever assigned. */
export type Members = Readonly<Record<string, Json>>;

/** Why a record cannot have a claim of this name; undefined where it can. */
export function claimProblem(name: string): string | undefined {
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

const MIN_SECONDS = 10;
const MAX_SECONDS = 86_400;

/**
 * The lifetime of access tokens as a record may say it: what lies beyond the bounds becomes the nearest one, with a note.
 *
 * @param text seconds
 * @param setting how the other server calls it
 */
export function readLifetime(text: string, setting: string, { notes }: Comments): number | undefined {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isInteger(seconds)) {
    notes.push(`${setting} "${text}" is not a number of seconds; the server's 3600 hold`);
    return undefined;
  }
  const bounded = Math.min(Math.max(seconds, MIN_SECONDS), MAX_SECONDS);
  if (bounded !== seconds) {
    notes.push(`${setting} ${seconds} is beyond ${MIN_SECONDS} to ${MAX_SECONDS} seconds; it became ${bounded}`);
  }
  return bounded;
}

/** The scopes that a record can hold, once each; a name with a space in it would silently be two. Others become notes. */
export function usableScopes(names: readonly string[], { notes }: Comments): string[] {
  return [...new Set(names)].filter((name) => {
    const usable = isScopeToken(name);
    if (!usable) notes.push(`the scope "${name}" is left out: no request can name it`);
    return usable;
  });
}

/** A record in the making, with the fields of `clients.yaml`. */
export type RecordDraft = Readonly<Record<string, Json>>;

/** What becomes of one client of the other server. */
export type Draft = {
  /** How the other server calls the client. */
  readonly label: string;
  /** What is lost or changes, for whoever moves: one sentence each. */
  readonly notes: readonly string[];
  /** What else is good to know, and no loss. */
  readonly remarks: readonly string[];
} & (
  | { readonly kind: 'client'; readonly record: RecordDraft }
  | {
      readonly kind: 'left_out';
      readonly why: string;
      /** What can be said of it already, for whoever mends it by hand. */
      readonly record: RecordDraft | undefined;
    }
);

/** All clients of a file, in its order. */
export interface Drafts {
  readonly drafts: readonly Draft[];
  /** About the file as a whole. */
  readonly remarks: readonly string[];
}

/** Where notes are collected while a client is read. */
export interface Comments {
  readonly notes: string[];
  readonly remarks: string[];
}

/** A record of the fields that there are. */
export function recordOf(fields: Readonly<Record<string, Json | undefined>>): RecordDraft {
  const present = Object.entries(fields).filter((field): field is [string, Json] => field[1] !== undefined);
  return Object.fromEntries(present);
}

/** A client of which nothing but this can be said. */
export function skipped(label: string, why: string): Draft {
  return { kind: 'left_out', label, why, record: undefined, notes: [], remarks: [] };
}

/** The file of the other server cannot be read as a whole. The message says what is wrong and what was expected. */
export class ImportError extends Error {
  override readonly name = 'MigrationError';
}
