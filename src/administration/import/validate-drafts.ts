import type { Client } from '../../clients/client.ts';
import { formatDiagnostic } from '../../clients/diagnostics.ts';
import { parseClient } from '../../clients/parse-client.ts';
import { policyWithoutSettings } from '../../clients/registration-policy.ts';
import type { Draft } from './draft.ts';

/**
 * Validates each draft as a client record. A draft that is invalid, or whose `client_id` is taken by an earlier one, is
 * skipped with the reason. Warnings become notes.
 *
 * @param now milliseconds since the epoch
 */
export function validateDrafts(drafts: readonly Draft[], now: number): Draft[] {
  const taken = new Set<unknown>();
  return drafts.map((draft) => {
    if (draft.kind === 'skipped') return draft;
    const validated = validateDraft(draft, now);
    if (validated.kind === 'skipped') return validated;
    const { client_id: clientId } = draft.record;
    if (taken.has(clientId)) return { ...draft, kind: 'skipped', reason: 'a client above has the same client_id' };
    taken.add(clientId);
    return validated;
  });
}

function validateDraft(draft: Extract<Draft, { kind: 'client' }>, now: number): Draft {
  const parsed = parseClient(draft.record, policyWithoutSettings, now);
  if (parsed.ok) {
    const warnings = parsed.warnings.map((warning) => ({
      // Without the index of a list.
      difference: formatDiagnostic({ ...warning, field: warning.field.replaceAll(/\[\d+\]/g, '') }),
      text: formatDiagnostic(warning),
    }));
    return { ...draft, notes: [...draft.notes, ...warnings] };
  }
  const reason = parsed.errors.map(formatDiagnostic).join('; ');
  return { ...draft, kind: 'skipped', reason };
}

/** The client of a validated draft; undefined if it was skipped. */
export function clientOf(draft: Draft, now: number): Client | undefined {
  const parsed = draft.kind === 'client' ? parseClient(draft.record, policyWithoutSettings, now) : undefined;
  return parsed?.ok ? parsed.client : undefined;
}
