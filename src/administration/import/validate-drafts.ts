import { parseClient } from '../../clients/parse-client.ts';
import type { RegistrationPolicy } from '../../clients/registration-policy.ts';
import type { Draft } from './draft.ts';

/** Whoever moves in is told of SHA-1 by a note, and of CAs by `clients check`, which knows those of the server. */
const policy: RegistrationPolicy = { allowSha1Thumbprints: true, requireCaPin: false, anchors: [] };

/**
 * Lets the server's own reader judge each client. One that it would refuse, or whose `client_id` another one has, is
 * left out, with the reason; what it warns of becomes a note.
 *
 * @param now milliseconds since the epoch
 */
export function validateDrafts(drafts: readonly Draft[], now: number): Draft[] {
  const taken = new Set<unknown>();
  return drafts.map((draft) => {
    if (draft.kind === 'left_out') return draft;
    const judged = validateDraft(draft, now);
    if (judged.kind === 'left_out') return judged;
    const { client_id: clientId } = draft.record;
    if (taken.has(clientId)) return { ...draft, kind: 'left_out', why: 'another client above has this client_id' };
    taken.add(clientId);
    return judged;
  });
}

function validateDraft(draft: Extract<Draft, { kind: 'client' }>, now: number): Draft {
  const read = parseClient(draft.record, policy, now);
  if (read.ok) {
    const warnings = read.warnings.map(({ field, message }) => `${field} ${message}`);
    return { ...draft, notes: [...draft.notes, ...warnings] };
  }
  const why = read.errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  return { ...draft, kind: 'left_out', why };
}
