import type { Drafts } from '../../src/administration/import/draft.ts';
import {
  parseIdentityServer,
  readConfiguration,
} from '../../src/administration/import/identity-server/identity-server.ts';
import { renderRecords } from '../../src/administration/import/render.ts';
import { validateDrafts } from '../../src/administration/import/validate-drafts.ts';
import { parseRecords } from '../../src/clients/files/parse-records.ts';

export interface ImportedClients {
  readonly yaml: string;
  /** The records of the YAML file. */
  readonly clients: readonly Readonly<Record<string, unknown>>[];
  /** The notes on every client and on each. */
  readonly notes: readonly string[];
  readonly remarks: readonly string[];
  /** The reason of each skipped client, by its label. */
  readonly skipped: Readonly<Record<string, string>>;
}

/** Validates and renders the clients of another server, as `clients import` does, and reads them as `check` does. */
export function importedClients(read: Drafts, now: number): ImportedClients {
  const drafts = validateDrafts(read.drafts, now);
  const yaml = renderRecords({ ...read, drafts }, 'a test');
  return {
    yaml,
    // Safe: import writes objects only.
    clients: parseRecords('clients.yaml', yaml).records.map(({ value }) => value as Readonly<Record<string, unknown>>),
    notes: [...read.notes, ...drafts.flatMap(({ notes }) => notes)].map(({ text }) => text),
    remarks: drafts.flatMap((draft) => draft.remarks),
    skipped: Object.fromEntries(
      drafts.flatMap((draft) => (draft.kind === 'skipped' ? [[draft.label, draft.reason]] : [])),
    ),
  };
}

/** Reads the clients in the text of one file of IdentityServer. */
export function readIdentityServer(text: string, now: number): Drafts {
  return readConfiguration([{ name: 'appsettings.json', root: parseIdentityServer(text) }], now);
}
