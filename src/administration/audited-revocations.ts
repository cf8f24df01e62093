import type { Revocation } from '../tokens/revocation/revocation.ts';
import { type ChangeAudit, currentUser, type RevocationEvent } from './change-audit.ts';
import type { RevocationStore } from './revocation-store.ts';

/** A store that records each revocation. */
export function auditedRevocations(store: RevocationStore, audit: ChangeAudit): RevocationStore {
  return {
    ...store,
    revoke: async (revocation, now) => {
      audit.open();
      await store.revoke(revocation, now);
      audit.report(revocationEvent(revocation));
    },
  };
}

function revocationEvent({ kind, value, before }: Revocation): RevocationEvent {
  const event = { event: 'tokens_revoked', by: currentUser() } as const;
  if (kind === 'jti') return { ...event, jti: value };
  const until = new Date(before * 1000).toISOString();
  return { ...event, ...(kind === 'client' ? { client_id: value } : { audience: value }), before: until };
}
