import { MALFORMED_DESCRIPTION } from '../../http/malformed-requests.ts';
import type { ProbeResponse } from './trial.ts';

/** Tells answers of Countersign from those that a proxy gives in its place, although it imitates the body. */
export interface OwnResponses {
  /** An answer that came through the same proxy, from a server that was asked. */
  readonly learn: (answer: ProbeResponse) => void;
  /** Whether a server that was not asked may have given it. */
  readonly mayBeOurs: (answer: ProbeResponse) => boolean;
}

/** Whether it is what Countersign says to octets that are no HTTP request, which nobody sees but its log. */
export function isUnread(answer: ProbeResponse): boolean {
  return answer.kind === 'answered' && answer.description === MALFORMED_DESCRIPTION;
}

/** Every answer of Countersign has fields that a proxy has no reason to write (`Pragma`, say): all that were seen have them. */
export function createOwnResponses(): OwnResponses {
  let common: ReadonlySet<string> | undefined;
  return {
    learn: (answer) => {
      if (answer.kind !== 'answered' || answer.error !== EXPECTED) return;
      const fields = answer.fields.filter((name) => !framing.has(name) && (common?.has(name) ?? true));
      common = new Set(fields);
    },
    mayBeOurs: (answer) => {
      if (answer.kind !== 'answered' || answer.error !== EXPECTED) return false;
      const { fields } = answer;
      return [...(common ?? [])].every((name) => fields.includes(name));
    },
  };
}

/** What a client hears that is not registered. */
const EXPECTED = 'invalid_client';

/** These differ between protocols and connections. */
const framing: ReadonlySet<string> = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding']);
