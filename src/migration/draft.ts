import type { Json } from '../clients/client.ts';

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
export function leftOut(label: string, why: string): Draft {
  return { kind: 'left_out', label, why, record: undefined, notes: [], remarks: [] };
}
