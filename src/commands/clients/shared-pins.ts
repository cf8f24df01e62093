import type { Client } from '../../clients/client.ts';
import type { Diagnostic } from '../../clients/diagnostics.ts';
import { caPinsOf } from '../../clients/methods/methods.ts';
import { sharedSubjectReason } from '../../clients/methods/shared-subject.ts';

/** A client whose pin does not distinguish it from another client of the same CA. */
export interface SharedPin extends Diagnostic {
  readonly client: Client;
}

/**
 * Finds clients that are registered by a name that other clients have, and pinned to a CA of which another client has
 * certificates, too: each of those certificates may contain the name. Names of their own distinguish all other clients.
 */
export function findSharedPins(clients: readonly Client[]): SharedPin[] {
  const clientsOfPin = Map.groupBy(
    clients.flatMap((client) => pinsOf(client).map((pin) => ({ pin, client }))),
    ({ pin }) => pin,
  );
  return clients.flatMap((client) => {
    const reason = reasonFor(client);
    const others = reason === undefined ? [] : pinsOf(client).flatMap((pin) => clientsOfPin.get(pin) ?? []);
    const shared = others.find((other) => other.client !== client);
    if (!shared) return [];
    const message =
      `${shared.pin} is not a CA of its own: client ${shared.client.clientId} is pinned to it as well, and the ` +
      `registered name ${reason}. Register a name that only its certificate has, or the certificate itself`;
    return [{ client, field: 'tls_client_auth_ca', message }];
  });
}

function pinsOf({ registrations }: Client): readonly string[] {
  return [...new Set(registrations.flatMap(caPinsOf))];
}

function reasonFor({ registrations }: Client): string | undefined {
  const reasons = registrations.map((each) =>
    each.method === 'tls_client_auth' ? sharedSubjectReason(each.subject) : undefined,
  );
  return reasons.find((reason) => reason !== undefined);
}
