import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Preparation } from '../prepare.ts';
import { tokenRequest } from './token-request.ts';

/**
 * Which certificates requests present. `known`: each client has one. `rotating`: more of them in rotation than the
 * certificate cache holds. `once`: each of them a single time. `handshake`: the one of the TLS connection, which the
 * terminator forwards.
 */
export type Certificates = 'known' | 'rotating' | 'once' | 'handshake';

/** The certificate cache of `serve` holds 10,000. */
const ROTATING_CERTIFICATES = 12_000;

/**
 * Prepares requests, so that none is created while the load is measured.
 *
 * @param total how many requests a contender will receive at most, repeated rounds included
 * @returns creates a sequence of them, for one contender
 */
export async function requestSource(
  { clientIds, issue }: Preparation,
  certificates: Certificates,
  total: number,
): Promise<() => () => Uint8Array> {
  const lengths = {
    known: clientIds.length,
    rotating: ROTATING_CERTIFICATES,
    once: total,
    handshake: clientIds.length,
  };
  const length = lengths[certificates];
  const requests: Uint8Array[] = [];
  while (requests.length < length) {
    const clientId = clientIds[requests.length % clientIds.length] ?? '';
    requests.push(tokenRequest(clientId, certificates === 'handshake' ? undefined : issue(clientId)));
    // Thousands of certificates take seconds, in which Ctrl-C must work.
    if (requests.length % 100 === 0) await nextTurn();
  }
  return () => {
    let index = 0;
    return () => requests[index++ % length] ?? Buffer.of();
  };
}
