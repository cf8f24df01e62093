import type { Client } from '../clients/client.ts';
import type { PresentedCertificate } from '../clients/methods/method.ts';
import { methodOf } from '../clients/methods/methods.ts';
import { temporarilyUnavailable } from '../oauth/oauth-error.ts';
import type { ChainStatus, PostponedValidation } from '../pki/path/verify-chain.ts';

const RETRY_AFTER_SECONDS = 2;

/**
 * Completes a validation that was postponed, once the clients are found that the certificate could authenticate. If it
 * authenticates one of them only with a verified chain, the path is validated in turn. Every request that this does not
 * verify is rejected after the same time and in the same way, so that neither reveals whether there is such a client.
 *
 * @param candidates the client that the request names, or those that are registered by an identity of the certificate
 * @returns a promise only if the validation was postponed
 * @throws {OAuthError} path_validation_overloaded
 */
export function completeValidation(
  presented: PresentedCertificate,
  candidates: readonly (Client | undefined)[],
): PresentedCertificate | Promise<PresentedCertificate> {
  if (presented.kind === 'none' || presented.chain.verified || !presented.chain.postponed) return presented;
  return complete(presented, presented.chain.postponed, candidates);
}

type Presented = Extract<PresentedCertificate, { kind: 'certificate' }>;

async function complete(
  presented: Presented,
  { validate, waitingRoom }: PostponedValidation,
  candidates: readonly (Client | undefined)[],
): Promise<Presented> {
  const recognized = candidates.flatMap((client) => recognizingMethod(client, presented));
  if (recognized.some(({ requiresChain }) => !requiresChain)) return presented;
  let reason = recognized.length === 0 ? 'and the certificate is not that of a client' : 'nor in time';
  const chain = await new Promise<ChainStatus | undefined>((resolve, reject) => {
    const leave = waitingRoom.enter(() => resolve(undefined));
    if (recognized.length === 0) return;
    validate().then((status) => {
      if (!status.verified) {
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

/** The method of the client, if its registration matches the certificate. */
function recognizingMethod(client: Client | undefined, { certificate }: Presented) {
  if (!client?.enabled) return [];
  const method = methodOf(client.authentication);
  return method?.recognizes(client.authentication, certificate) ? [method] : [];
}
