import { describeIdentity } from '../../administration/conflict.ts';
import type { ListedRecord } from '../../administration/stored-records.ts';
import { identitiesOf } from '../../clients/registered-identities.ts';

/** One client of the list, for programs. Of what is no sound record, only what can be said. */
export interface ClientReport {
  readonly client_id: string;
  /** Whether the server takes its record; where not, `faults` say why, and the client is refused. */
  readonly usable: boolean;
  readonly enabled?: boolean;
  readonly method?: string;
  /** What it is known by, in words. */
  readonly identities?: readonly string[];
  readonly scopes?: readonly string[];
  readonly faults: readonly string[];
}

export function reportOnClient({ clientId, client, faults }: ListedRecord): ClientReport {
  const messages = faults.map(({ field, message }) => `${field} ${message}`);
  if (!client) return { client_id: clientId, usable: false, faults: messages };
  return {
    client_id: clientId,
    usable: true,
    enabled: client.enabled,
    method: client.authentication.method,
    identities: identitiesOf(client).map((identity) => describeIdentity(identity, client)),
    scopes: client.scopes,
    faults: messages,
  };
}
