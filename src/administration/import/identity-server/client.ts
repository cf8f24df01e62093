import type { Json } from '../../../clients/json-value.ts';
import { type Comments, type Draft, omitUndefined, skippedDraft } from '../draft.ts';
import type { Configuration } from './configuration.ts';
import { noteOf } from './differences.ts';
import { type Item, itemsOf, type Section, sectionOf, textOf, textsOf } from './dotnet-configuration.ts';
import { numericFlags, requireConvertible } from './dotnet-types.ts';
import { flagOf, isEnumMember } from './dotnet-values.ts';
import { handlingOf } from './options.ts';
import { rejectionsThere } from './rejections-there.ts';
import type { Resources } from './resources.ts';
import { readSecrets } from './secrets.ts';
import { readTokens } from './tokens.ts';

/** What is read once for all clients. */
export interface Server {
  readonly configuration: Configuration;
  readonly resources: Resources;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Imports one item of `Clients`: a client, or a skipped one.
 *
 * @throws {ImportError} if it has a value that .NET cannot read
 */
export function draftIdentityServerClient({ location, value }: Item, server: Server): Draft {
  const client = sectionOf(value);
  const clientId = textOf(client.get('clientid'));
  if (clientId === undefined) return skippedDraft(`(${location})`, 'ClientId is missing');
  requireConvertible(client);
  const grants = textsOf(client.get('allowedgranttypes'));
  const skipReason = skipReasonOf(client, grants);
  if (skipReason !== undefined) return skippedDraft(clientId, skipReason);
  const comments: Comments = { notes: [], remarks: [] };
  const numeric = server.configuration.isFromTables ? [] : numericFlags(client);
  if (numeric.length > 0) comments.remarks.push(`${numeric.join(', ')}: ${NUMERIC_FLAG}`);
  const description = descriptionOf(client, comments);
  const secrets = readSecrets(client, server, comments);
  const { record: tokens, scopes } = readTokens(client, server, comments);
  const rejections = [...rejectionsThere(clientId, client, server), ...scopes.rejections, ...secrets.rejections];
  if (rejections.length > 0) comments.notes.unshift(neverWorked(rejections));
  noteGrants(grants, comments);
  noteOptions(client, comments);
  const record = omitUndefined({ client_id: clientId, ...description, client_secrets: secrets.records, ...tokens });
  if (secrets.records !== undefined) return { kind: 'client', label: clientId, record, ...comments };
  return { kind: 'skipped', label: clientId, reason: secrets.missing, record, ...comments };
}

const NUMERIC_FLAG =
  '1 or 0, as in a database. In a file, .NET rejects such a flag with its client: then it never worked there';

function neverWorked(rejections: readonly string[]) {
  return noteOf(
    'never_worked',
    `IdentityServer rejects this client, so it never worked there: ${rejections.join('; ')}`,
  );
}

function skipReasonOf(client: Section, grants: readonly string[]): string | undefined {
  const protocol = client.has('protocoltype') ? (textOf(client.get('protocoltype')) ?? 'empty') : 'oidc';
  if (protocol !== 'oidc') return `ProtocolType is ${protocol}; expected oidc`;
  if (grants.includes('client_credentials')) return undefined;
  return `AllowedGrantTypes does not contain client_credentials: ${grants.length === 0 ? 'none' : grants.join(', ')}`;
}

function descriptionOf(client: Section, { remarks }: Comments): Record<string, Json | undefined> {
  const description = textOf(client.get('description'));
  if (description !== undefined) remarks.push(`Description: ${description}`);
  const properties = [...sectionOf(client.get('properties')?.value).values()].map(({ name }) => name);
  if (properties.length > 0) remarks.push(`Properties were not imported: ${properties.join(', ')}`);
  return {
    client_name: textOf(client.get('clientname')),
    client_uri: textOf(client.get('clienturi')),
    enabled: flagOf(client.get('enabled'), true) ? undefined : false,
  };
}

function noteGrants(grants: readonly string[], { notes }: Comments): void {
  const others = grants.filter((grant) => grant !== 'client_credentials');
  if (others.length === 0) return;
  const text = `the grant types ${others.join(', ')} were not imported: requests with them stay on IdentityServer`;
  notes.push(noteOf('other_grants', text));
}

/** `AccessTokenType`; the first is 0. */
const tokenTypes = ['Jwt', 'Reference'];

function noteOptions(client: Section, { notes }: Comments): void {
  if (!isEnumMember(client.get('accesstokentype'), tokenTypes, 'Jwt', true))
    notes.push(noteOf('reference_token', 'AccessTokenType Reference: its access tokens are JWTs here'));
  if (!flagOf(client.get('includejwtid'), true))
    notes.push(noteOf('jwt_id', 'IncludeJwtId false: its tokens have a jti here'));
  if (flagOf(client.get('requiredpop'), false))
    notes.push(
      noteOf('dpop', 'RequireDPoP true: its tokens are bound to its certificate here, and DPoP proofs are not read'),
    );
  for (const [key, member] of client) {
    if (handlingOf('Client', key) || (textOf(member) === undefined && itemsOf(member).length === 0)) continue;
    // The value may be a secret.
    notes.push(
      noteOf('unknown_property', `${member.name} was not imported: IdentityServer's Client has no such property`),
    );
  }
}
