import type { Json } from '../clients/client.ts';
import { type Comments, type Draft, leftOut, recordOf } from './draft.ts';
import { isTrue, type Members, membersOf, textOf } from './keycloak-json.ts';
import { withoutEquivalent } from './keycloak-losses.ts';
import type { Realm } from './keycloak-realm.ts';
import { readContents } from './keycloak-scopes.ts';
import { readSubject } from './keycloak-subject.ts';
import { readLifetime } from './lifetime.ts';

/**
 * What becomes of one client.
 *
 * @param place where it stands, for one without a name
 */
export function draftKeycloakClient(client: Members, place: string, realm: Realm): Draft {
  const clientId = textOf(client.clientId);
  if (clientId === undefined) return leftOut(`(${place} of clients)`, 'it has no clientId');
  const obstacle = obstacleOf(client);
  if (obstacle !== undefined) return leftOut(clientId, obstacle);
  const comments: Comments = { notes: [], remarks: [] };
  const subject = readSubject(membersOf(client.attributes));
  const stop = stopOf(clientId, realm);
  const record = recordOf({
    client_id: clientId,
    ...descriptionOf(client, comments),
    ...(stop !== undefined && { enabled: false }),
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: subject.ok ? subject.dn : subject.text,
    ...tokensOf(client, realm, comments),
  });
  if (stop !== undefined) comments.notes.push(`its ${stop} is disabled, and so it is here`);
  comments.notes.push(...withoutEquivalent(client, realm.rolesOf.get(clientId) ?? []));
  if (subject.ok) return { kind: 'client', label: clientId, record, ...comments };
  return { kind: 'left_out', label: clientId, why: subject.why, record, ...comments };
}

/** Why it gets no token by its certificate, there as here. */
function obstacleOf(client: Members): string | undefined {
  const protocol = textOf(client.protocol) ?? 'openid-connect';
  if (protocol !== 'openid-connect') return `its protocol is ${protocol}`;
  if (isTrue(client.bearerOnly)) return 'it is bearer-only: an API, which asks for no token';
  if (isTrue(client.publicClient)) return 'it is public: it does not authenticate';
  const authenticator = textOf(client.clientAuthenticatorType) ?? 'client-secret';
  if (authenticator !== 'client-x509') return `it authenticates by ${authenticator}; register its certificate`;
  if (!isTrue(client.serviceAccountsEnabled)) return 'serviceAccountsEnabled is not true: it has no client credentials';
  return undefined;
}

/** What keeps it from getting tokens although it is enabled itself. */
function stopOf(clientId: string, realm: Realm): string | undefined {
  if (realm.isDisabled) return 'realm';
  return realm.stopped.has(clientId) ? 'service account' : undefined;
}

function descriptionOf(client: Members, { remarks }: Comments): Record<string, Json | undefined> {
  const [name, description] = [textOf(client.name), textOf(client.description)];
  if (description !== undefined) remarks.push(`description: ${description}`);
  return {
    // Keycloak's own names are keys of its translations.
    client_name: name?.startsWith('${') ? undefined : name,
    client_uri: textOf(client.baseUrl),
    enabled: client.enabled === undefined || isTrue(client.enabled) ? undefined : false,
  };
}

function tokensOf(client: Members, realm: Realm, comments: Comments): Record<string, Json | undefined> {
  const attributes = membersOf(client.attributes);
  const isBound = isTrue(attributes['tls.client.certificate.bound.access.tokens']);
  return {
    tls_client_certificate_bound_access_tokens: isBound || undefined,
    ...readContents(client, realm, comments),
    access_token_lifetime: lifetimeOf(textOf(attributes['access.token.lifespan']), realm, comments),
  };
}

const LIKE_THE_SESSION = '-1';

function lifetimeOf(own: string | undefined, realm: Realm, comments: Comments): number | undefined {
  if (own === LIKE_THE_SESSION) {
    comments.notes.push(
      "access.token.lifespan -1, as long as a session may last, has no equivalent; the server's 3600 hold",
    );
    return undefined;
  }
  if (own !== undefined) return readLifetime(own, 'access.token.lifespan', comments);
  if (realm.lifetime !== undefined) return readLifetime(realm.lifetime, "the realm's accessTokenLifespan", comments);
  comments.notes.push("its lifetime is the realm's, which is not in this file: the 3600 seconds of the server hold");
  return undefined;
}
