import { MALFORMED_DESCRIPTION } from '../../http/malformed-reasons.ts';
import type { ProbeResponse } from './trial.ts';

/** Distinguishes responses of Countersign from those of a proxy that sends the same body. */
export interface OwnResponses {
  /** Learns from a response to a request that a server behind the same proxy observed. */
  readonly learn: (response: ProbeResponse) => void;
  /** Whether a server that was not queried may have sent it. */
  readonly mayBeCountersign: (response: ProbeResponse) => boolean;
}

/**
 * Compares header field names: Countersign sends some, such as `Pragma`, that a proxy has no reason to send. A response
 * may be Countersign's when it has every field that all of the learned ones have, and no proxy declares it as its own.
 */
export function createOwnResponses(): OwnResponses {
  let common: ReadonlySet<string> | undefined;
  return {
    learn: (response) => {
      if (response.kind !== 'answered' || response.error !== EXPECTED_ERROR) return;
      const names = response.fieldNames.filter((name) => !framingFields.has(name) && (common?.has(name) ?? true));
      common = new Set(names);
    },
    mayBeCountersign: (response) => {
      if (response.kind !== 'answered' || response.error !== EXPECTED_ERROR) return false;
      const { fieldNames } = response;
      if (fieldNames.includes(PROXY_STATUS) && !common?.has(PROXY_STATUS)) return false;
      return [...(common ?? [])].every((name) => fieldNames.includes(name));
    },
  };
}

/** The server's error for a client that is not registered. */
const EXPECTED_ERROR = 'invalid_client';

/**
 * In which a proxy states that it generated a response (RFC 9209), as the shipped nginx does. Some proxies add it to
 * forwarded responses too.
 */
const PROXY_STATUS = 'proxy-status';

/** Fields that differ between protocols and connections. */
const framingFields: ReadonlySet<string> = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding']);

/** Whether it is Countersign's response to a malformed HTTP request, which is logged but cannot be observed. */
export function isMalformedRejection(response: ProbeResponse): boolean {
  return response.kind === 'answered' && response.description === MALFORMED_DESCRIPTION;
}
