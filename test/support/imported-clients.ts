import { parse } from 'yaml';
import type { Drafts } from '../../src/administration/import/draft.ts';
import { render } from '../../src/administration/import/render.ts';
import { validateDrafts } from '../../src/administration/import/validate-drafts.ts';

export interface ImportedClients {
  readonly yaml: string;
  /** As a reader of the file finds them. */
  readonly clients: readonly Readonly<Record<string, unknown>>[];
  /** Those of all clients. */
  readonly notes: readonly string[];
  readonly remarks: readonly string[];
  /** Why each of those that are left out is. */
  readonly leftOut: Readonly<Record<string, string>>;
}

/** What becomes of the clients of another server, to the end. */
export function importedClients({ drafts: all, remarks }: Drafts, now: number): ImportedClients {
  const drafts = validateDrafts(all, now);
  const yaml = render({ drafts, remarks }, 'a test');
  return {
    yaml,
    clients: parse(yaml).clients,
    notes: drafts.flatMap(({ notes }) => notes),
    remarks: drafts.flatMap((draft) => draft.remarks),
    leftOut: Object.fromEntries(
      drafts.flatMap((draft) => (draft.kind === 'left_out' ? [[draft.label, draft.why]] : [])),
    ),
  };
}
