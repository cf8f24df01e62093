import type { Json } from '../../../clients/json-value.ts';
import {
  type Comments,
  type Draft,
  omitUndefined,
  parseLifetime,
  type RecordDraft,
  skippedDraft,
  validScopes,
} from '../draft.ts';
import { readClaims } from './claims.ts';
import { unsupportedFields } from './defaults.ts';
import { flagOf, type Item, itemsOf, type Section, sectionOf, textOf, textsOf } from './dotnet-configuration.ts';
import type { Resources } from './resources.ts';

/**
 * Imports one item of `Clients`: a client, or a skipped one. A client with certificates of both types becomes one of
 * each, since a record has one authentication method.
 *
 * @param now milliseconds since the epoch: expired secrets are not imported
 */
export function draftIdentityServerClient({ location, value }: Item, resources: Resources, now: number): Draft[] {
  const client = sectionOf(value);
  const clientId = textOf(client.get('clientid'));
  if (clientId === undefined) return [skippedDraft(`(${location})`, 'ClientId is missing')];
  const grants = textsOf(client.get('allowedgranttypes'));
  const skipReason = skipReasonOf(client, grants);
  if (skipReason !== undefined) return [skippedDraft(clientId, skipReason)];
  const comments: Comments = { notes: [], remarks: [] };
  const unsupported = grants.filter((grant) => grant !== 'client_credentials');
  if (unsupported.length > 0) comments.notes.push(`the grant types ${unsupported.join(', ')} are not supported`);
  const description = descriptionOf(client, comments);
  const { names, thumbprints } = readSecrets(client, comments, now);
  const tokens = tokensOf(client, resources, comments);
  comments.notes.push(...unsupportedFields(client));
  const withSecrets = (secrets?: readonly RecordDraft[]) =>
    omitUndefined({ client_id: clientId, ...description, client_secrets: secrets, ...tokens });
  const [first = [], second] = [names, thumbprints].filter((secrets) => secrets.length > 0);
  if (first.length === 0)
    return [{ kind: 'skipped', label: clientId, reason: NO_CERTIFICATE, record: withSecrets(), ...comments }];
  const draft: Draft = { kind: 'client', label: clientId, record: withSecrets(first), ...comments };
  return second ? [draft, thumbprintDraft(clientId, withSecrets(second))] : [draft];
}

function skipReasonOf(client: Section, grants: readonly string[]): string | undefined {
  const protocol = client.get('protocoltype')?.value ?? 'oidc';
  if (protocol !== 'oidc') return `ProtocolType is ${protocol === '' ? 'empty' : protocol}; expected oidc`;
  if (grants.includes('client_credentials')) return undefined;
  return `AllowedGrantTypes does not contain client_credentials: ${grants.length === 0 ? 'none' : grants.join(', ')}`;
}

const NO_CERTIFICATE =
  'no unexpired secret of type X509Name or X509Thumbprint: register the certificate of this client';

/** No new client_id is made up: requests with the old one would fail, and another client might have the new one. */
function thumbprintDraft(clientId: string, record: RecordDraft): Draft {
  const reason =
    'it has both X509Name and X509Thumbprint secrets, and a client has one authentication method. The record above ' +
    'uses the names. To use the thumbprints, replace it with this record, or give this record its own client_id';
  return { kind: 'skipped', label: clientId, reason, record, notes: [], remarks: [] };
}

function descriptionOf(client: Section, { remarks }: Comments): Record<string, Json | undefined> {
  const description = textOf(client.get('description'));
  if (description !== undefined) remarks.push(`Description: ${description}`);
  return {
    client_name: textOf(client.get('clientname')),
    client_uri: textOf(client.get('clienturi')),
    enabled: flagOf(client.get('enabled'), true) ? undefined : false,
  };
}

function tokensOf(client: Section, resources: Resources, comments: Comments): Record<string, Json | undefined> {
  const scopes = scopesOf(client, resources, comments);
  const lifetime = textOf(client.get('accesstokenlifetime'));
  return {
    scope: scopes.length === 0 ? undefined : scopes.join(' '),
    audience: audienceOf(scopes, resources, comments),
    access_token_lifetime:
      lifetime === undefined ? undefined : parseLifetime(lifetime, 'AccessTokenLifetime', comments),
    access_token_scope_claim: resources.scopeClaim === 'array' ? 'array' : undefined,
    claims: readClaims(client, comments),
  };
}

function scopesOf(client: Section, resources: Resources, comments: Comments): string[] {
  const allowed = validScopes(textsOf(client.get('allowedscopes')), comments);
  const identityScopes = allowed.filter((scope) => resources.identityScopes.has(scope));
  if (identityScopes.length > 0)
    comments.remarks.push(`identity scopes are for users and were not imported: ${identityScopes.join(', ')}`);
  return allowed.filter((scope) => !identityScopes.includes(scope) && isGranted(scope, resources, comments));
}

/** IdentityServer grants neither disabled nor unknown scopes. */
function isGranted(scope: string, { apiScopes }: Resources, { notes }: Comments): boolean {
  if (apiScopes === undefined || apiScopes.enabled.get(scope)) return true;
  const problem = apiScopes.enabled.has(scope) ? 'disabled' : 'missing';
  notes.push(`the scope "${scope}" was not imported: it is ${problem} in ${apiScopes.source}, so it is never granted`);
  return false;
}

function audienceOf(scopes: readonly string[], resources: Resources, { notes }: Comments): Json | undefined {
  const ofScope = scopes.flatMap((scope) => {
    const names = resources.audienceOf.get(scope);
    return names ? [[scope, names] as const] : [];
  });
  for (const name of new Set(ofScope.flatMap(([, names]) => names))) {
    if (resources.isolated.has(name))
      notes.push(
        `the API resource "${name}" requires a resource indicator there; here every token with one of its scopes has ` +
          'it as an audience',
      );
  }
  return ofScope.length === 0 ? undefined : Object.fromEntries(ofScope);
}

/** The certificates among the secrets of a client, as entries of `client_secrets`. */
interface CertificateSecrets {
  readonly names: readonly RecordDraft[];
  readonly thumbprints: readonly RecordDraft[];
}

/** By the values of `SecretTypes`, and by the names of its constants, which are a common mistake. */
const certificateTypes: Readonly<Record<string, keyof CertificateSecrets>> = {
  X509Name: 'names',
  X509CertificateName: 'names',
  X509Thumbprint: 'thumbprints',
  X509CertificateThumbprint: 'thumbprints',
};

/** Reads `ClientSecrets`. Secrets of other types and expired ones become notes, which never contain the value. */
function readSecrets(client: Section, { notes }: Comments, now: number): CertificateSecrets {
  const secrets = { names: [] as RecordDraft[], thumbprints: [] as RecordDraft[] };
  for (const { location, value } of itemsOf(client.get('clientsecrets'))) {
    const secret = sectionOf(value);
    const type = textOf(secret.get('type')) ?? 'SharedSecret';
    const kind = Object.hasOwn(certificateTypes, type) ? certificateTypes[type] : undefined;
    const expiration = parseExpiration(textOf(secret.get('expiration')));
    const description = textOf(secret.get('description'));
    const name = `${description === undefined ? location : `the secret "${description}"`} (${type})`;
    if (kind === undefined) notes.push(`${name} was not imported: clients authenticate with certificates only`);
    else if (expiration !== undefined && Date.parse(expiration) < now)
      notes.push(`${name} was not imported: it expired at ${expiration}`);
    else secrets[kind].push(omitUndefined({ type, value: textOf(secret.get('value')), description, expiration }));
  }
  return secrets;
}

const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * An instant as .NET parses it: midnight without a time, UTC without an offset. A text that cannot be parsed stays
 * unchanged, so that validation rejects the record: without it, the secret would never expire.
 */
function parseExpiration(text: string | undefined): string | undefined {
  const [, day, time = '00:00', zone = 'Z'] = DATE.exec(text?.trim() ?? '') ?? [];
  const instant = Date.parse(`${day}T${time}${zone.toUpperCase().replace(/^(.\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(instant) ? text : new Date(instant).toISOString().replace('.000Z', 'Z');
}
