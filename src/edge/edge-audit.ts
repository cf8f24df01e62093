import { type AuditLog, inHundredths, type Written } from '../observability/audit.ts';
import type { AuditEntry } from '../observability/audit-entry.ts';
import type { RequestContext } from '../terminator/request-context.ts';
import type { Approval, ApprovedToken } from './approval.ts';
import type { CheckCounter, CheckOutcome } from './check-metrics.ts';
import type { Denial } from './denial.ts';

/** Records each decision of the edge: the metrics, and an event for all but repeated uses. */
export interface EdgeAudit {
  /** The entry of a new check. */
  begin(): AuditEntry;
  /** Resolves to true if the events of all tokens have been written, now or for an earlier check. */
  approved(entry: AuditEntry, approval: Approval, durationMilliseconds: number, context: () => RequestContext): Written;
  /** @param cause what was thrown */
  denied(entry: AuditEntry, denial: Denial, durationMilliseconds: number, cause: unknown): Written;
}

/** The event of the first use of a token. */
const firstUse = {
  minted: { event: 'edge_token_minted', message: 'token minted at the edge' },
  verified: { event: 'edge_token_verified', message: 'token verified at the edge' },
} as const;

export function createEdgeAudit({ write }: AuditLog, count: CheckCounter): EdgeAudit {
  /** The event of a token: of this check if it is the first to use it, otherwise that of the first one. */
  const written = (kind: keyof typeof firstUse, token: ApprovedToken, entry: () => AuditEntry): Written => {
    if (token.written) return token.written;
    const { event, message } = firstUse[kind];
    // A copy: the other token of a check has its own event.
    const copy = { ...entry(), ...token.claims, event };
    const writing = write(copy.advice === undefined ? 'info' : 'warn', copy, message);
    token.written = writing;
    void writing.then((isWritten) => {
      if (!isWritten) token.written = undefined;
    });
    return writing;
  };
  /** What cannot be written is denied, whatever the decision was. */
  const countWritten = async (writing: Written, outcome: CheckOutcome, entry: AuditEntry, duration: number) => {
    const isWritten = await writing;
    if (isWritten) count(entry, outcome, duration);
    else count({ ...entry, code: 'audit_unwritable' }, 'rejected', duration);
    return isWritten;
  };
  return {
    begin: () => ({ event: 'edge_check_denied' }),
    approved: (entry, { verified, minted }, duration, context) => {
      const outcome = outcomeOf(verified, minted);
      const complete = () => Object.assign(entry, context(), { duration_ms: inHundredths(duration) });
      const ofVerified = verified && written('verified', verified, complete);
      const ofMinted = minted && written('minted', minted, complete);
      return countWritten(both(ofVerified, ofMinted), outcome, entry, duration);
    },
    denied: (entry, { error }, duration, cause) => {
      const isFailure = error === 'server_error';
      entry.duration_ms = inHundredths(duration);
      if (isFailure && cause instanceof Error && cause.stack !== undefined) entry.stack = cause.stack;
      const writing = write(isFailure ? 'error' : 'warn', entry, `edge check ${isFailure ? 'failed' : 'denied'}`);
      return countWritten(writing, isFailure ? 'failed' : 'rejected', entry, duration);
    },
  };
}

/** Resolves to false without any event. */
function both(one: Written | undefined, other: Written | undefined): Written {
  if (one && other) return Promise.all([one, other]).then((all) => all.every(Boolean));
  return one ?? other ?? Promise.resolve(false);
}

function outcomeOf(verified: ApprovedToken | undefined, minted: ApprovedToken | undefined): CheckOutcome {
  if (verified) return verified.written ? 'reverified' : 'verified';
  return minted?.written ? 'reused' : 'minted';
}
