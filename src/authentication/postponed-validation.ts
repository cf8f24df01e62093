import type { Client } from '../clients/client.ts';
import { isEffective } from '../clients/identities.ts';
import type { PresentedCertificate } from '../clients/methods/method.ts';
import { recognizes, requiresChain } from '../clients/methods/methods.ts';
import { temporarilyUnavailable } from '../oauth/oauth-error.ts';
import type { ChainStatus, PostponedValidation } from '../pki/path/verify-chain.ts';

const RETRY_AFTER_SECONDS = 2;

/**
 * Completes a validation that was postponed, once the clients are found that the certificate could authenticate. If it
 * authenticates one of them only with a verified chain, now, the path is validated in turn. Every request that this does not
 * verify is rejected after the same time and in the same way, so that neither reveals whether there is such a client.
 *
 * @param candidates the client that the request names, or those that are registered by an identity of the certificate
 * @param now milliseconds since the epoch
 * @returns a promise only if the validation was postponed
 * @throws {OAuthError} path_validation_overloaded
 */
export function completeValidation(
  presented: PresentedCertificate,
  candidates: readonly (Client | undefined)[],
  now: number,
): PresentedCertificate | Promise<PresentedCertificate> {
  if (presented.kind === 'none' || presented.chain.verified || !presented.chain.postponed) return presented;
  const needs = candidates.map((client) => needOf(client, presented, now));
  return complete(presented, presented.chain.postponed, needs);
}

type Presented = Extract<PresentedCertificate, { kind: 'certificate' }>;

async function complete(
  presented: Presented,
  { validate, waitingRoom }: PostponedValidation,
  needs: readonly Need[],
): Promise<Presented> {
  const isNeeded = needs.includes('chain');
  const isRegistered = needs.includes('certificate');
  if (isRegistered && !isNeeded) return presented;
  let reason = isNeeded ? 'nor in time' : 'and the certificate is not that of a client';
  const chain = await new Promise<ChainStatus | undefined>((resolve, reject) => {
    const leave = waitingRoom.enter(() => resolve(undefined));
    if (!isNeeded) return;
    validate().then((status) => {
      // At the edge, another client may have the same certificate: without a path, it is not that of both.
      if (!status.verified && !isRegistered) {
        reason = `and then was not verified: ${status.reason}`;
        return;
      }
      leave();
      resolve(status);
    }, reject);
  });
  if (chain) return { ...presented, chain };
  throw temporarilyUnavailable(
    'path_validation_overloaded',
    `the path of the certificate was not validated at once, since others take too much time, ${reason}`,
    RETRY_AFTER_SECONDS,
  );
}

/** What a client is authenticated by: the certificate itself, only with its chain, or neither. */
type Need = 'certificate' | 'chain' | 'nothing';

function needOf(client: Client | undefined, { certificate }: Presented, now: number): Need {
  if (!client?.enabled) return 'nothing';
  const matching = client.registrations.filter((each) => isEffective(each, now) && recognizes(each, certificate));
  if (matching.length === 0) return 'nothing';
  return matching.every(requiresChain) ? 'chain' : 'certificate';
}
