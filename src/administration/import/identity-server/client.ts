import type { Json } from '../../../clients/json-value.ts';
import {
  type Comments,
  type Draft,
  type RecordDraft,
  readLifetime,
  recordOf,
  skipped,
  usableScopes,
} from '../draft.ts';
import { readClaims } from './claims.ts';
import { unsupportedFields } from './defaults.ts';
import { flagOf, type Item, itemsOf, type Section, sectionOf, textOf, textsOf } from './dotnet-configuration.ts';
import type { Resources } from './resources.ts';

/**
 * What becomes of one item of `Clients`: a client, nothing, or both, since a client has one method here.
 *
 * @param now milliseconds since the epoch: secrets that have ended are left out
 */
export function draftIdentityServerClient({ place, value }: Item, resources: Resources, now: number): Draft[] {
  const client = sectionOf(value);
  const clientId = textOf(client.get('clientid'));
  if (clientId === undefined) return [skipped(`(${place} of Clients)`, 'it has no ClientId')];
  const protocol = client.get('protocoltype')?.value ?? 'oidc';
  if (protocol !== 'oidc') return [skipped(clientId, `its protocol is ${protocol === '' ? 'empty' : protocol}`)];
  const grants = textsOf(client.get('allowedgranttypes'));
  if (!grants.includes('client_credentials')) return [skipped(clientId, `its grants are ${inWords(grants)}`)];
  const comments: Comments = { notes: [], remarks: [] };
  const others = grants.filter((grant) => grant !== 'client_credentials');
  if (others.length > 0) comments.notes.push(`the grants ${inWords(others)} have no equivalent`);
  const description = descriptionOf(client, comments);
  const { names, thumbprints } = readSecrets(client, comments, now);
  const tokens = tokensOf(client, resources, comments);
  comments.notes.push(...unsupportedFields(client));
  const withSecrets = (secrets?: readonly RecordDraft[]) =>
    recordOf({ client_id: clientId, ...description, client_secrets: secrets, ...tokens });
  const [first = [], second] = [names, thumbprints].filter((secrets) => secrets.length > 0);
  if (first.length === 0)
    return [{ kind: 'left_out', label: clientId, why: NO_CERTIFICATE, record: withSecrets(), ...comments }];
  const draft: Draft = { kind: 'client', label: clientId, record: withSecrets(first), ...comments };
  return second ? [draft, otherHalf(clientId, withSecrets(second))] : [draft];
}

const NO_CERTIFICATE = 'it has no secret of type X509Name or X509Thumbprint that counts; register its certificate';

/** We never invent a client_id: whoever calls with the old one would be refused, and somebody else might have the new one. */
function otherHalf(clientId: string, record: RecordDraft): Draft {
  const why =
    'it has certificates by name and by thumbprint, and a client has one method. By name it is written above. ' +
    'Put this in its place where it is known by the thumbprint, or give this a client_id of its own';
  return { kind: 'left_out', label: clientId, why, record, notes: [], remarks: [] };
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
    access_token_lifetime: lifetime === undefined ? undefined : readLifetime(lifetime, 'AccessTokenLifetime', comments),
    access_token_scope_claim: resources.scopeClaim === 'array' ? 'array' : undefined,
    claims: readClaims(client, comments),
  };
}

function scopesOf(client: Section, resources: Resources, comments: Comments): string[] {
  const allowed = usableScopes(textsOf(client.get('allowedscopes')), comments);
  const ofUsers = allowed.filter((scope) => resources.identityScopes.has(scope));
  if (ofUsers.length > 0)
    comments.remarks.push(`the scopes ${ofUsers.join(', ')} are those of users: no client gets them`);
  return allowed.filter((scope) => !ofUsers.includes(scope) && isGranted(scope, resources, comments));
}

/** IdentityServer grants no scope that is disabled, or that it does not know. */
function isGranted(scope: string, { apiScopes }: Resources, { notes }: Comments): boolean {
  if (apiScopes === undefined || apiScopes.areEnabled.get(scope)) return true;
  const why = apiScopes.areEnabled.has(scope) ? 'is disabled in' : 'is not among';
  notes.push(`the scope "${scope}" is left out: it ${why} ${apiScopes.place}, so that no client gets it`);
  return false;
}

function audienceOf(scopes: readonly string[], resources: Resources, { notes }: Comments): Json | undefined {
  const ofScope = scopes.flatMap((scope) => {
    const names = resources.audienceOf.get(scope);
    return names ? [[scope, names] as const] : [];
  });
  for (const name of new Set(ofScope.flatMap(([, names]) => names))) {
    if (resources.isolated.has(name))
      notes.push(`the API resource "${name}" is in each token of its scopes, also where no request names it`);
  }
  return ofScope.length === 0 ? undefined : Object.fromEntries(ofScope);
}

function inWords(grants: readonly string[]): string {
  return grants.length === 0 ? 'none' : grants.join(', ');
}

/** The secrets of a client that are certificates, as entries of `client_secrets`. */
export interface CertificateSecrets {
  readonly names: readonly RecordDraft[];
  readonly thumbprints: readonly RecordDraft[];
}

/** `SecretTypes`: the values, and the names of the constants, which many write in their place. */
const kinds: Readonly<Record<string, keyof CertificateSecrets>> = {
  X509Name: 'names',
  X509CertificateName: 'names',
  X509Thumbprint: 'thumbprints',
  X509CertificateThumbprint: 'thumbprints',
};

/** Reads `ClientSecrets`. Those of other types, and those that have ended, become notes; no value is told. */
export function readSecrets(client: Section, { notes }: Comments, now: number): CertificateSecrets {
  const secrets = { names: [] as RecordDraft[], thumbprints: [] as RecordDraft[] };
  for (const { place, value } of itemsOf(client.get('clientsecrets'))) {
    const secret = sectionOf(value);
    const type = textOf(secret.get('type')) ?? 'SharedSecret';
    const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
    const end = endOf(textOf(secret.get('expiration')));
    const description = textOf(secret.get('description'));
    const name = `the secret ${description === undefined ? place : `"${description}"`} of type ${type}`;
    if (kind === undefined) notes.push(`${name} is left out: only certificates authenticate here`);
    else if (end !== undefined && Date.parse(end) < now) notes.push(`${name} is left out: it has ended at ${end}`);
    else secrets[kind].push(recordOf({ type, value: textOf(secret.get('value')), description, expiration: end }));
  }
  return secrets;
}

const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * An instant as .NET means it: without a time the beginning of the day, without an offset UTC. What is not understood
 * stays as it is, for the reader of records to refuse: a secret that no longer ends would be worse than none.
 */
function endOf(text: string | undefined): string | undefined {
  const [, day, time = '00:00', zone = 'Z'] = DATE.exec(text?.trim() ?? '') ?? [];
  const instant = Date.parse(`${day}T${time}${zone.toUpperCase().replace(/^(.\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(instant) ? text : new Date(instant).toISOString().replace('.000Z', 'Z');
}
