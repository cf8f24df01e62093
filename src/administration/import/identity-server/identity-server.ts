import type { Json } from '../../../clients/json-value.ts';
import { type Draft, type Drafts, ImportError } from '../draft.ts';
import { draftIdentityServerClient, type Server } from './client.ts';
import { type Configuration, findConfiguration } from './configuration.ts';
import { rejectCSharp } from './csharp.ts';
import { parseDecoratedJson } from './database/decorated-json.ts';
import { parseQueryResult } from './database/query-result.ts';
import { noteOf } from './differences.ts';
import { type Item, sectionOf, textOf } from './dotnet-configuration.ts';
import { flagOf } from './dotnet-values.ts';
import { type ConfigurationFile, mergeFiles } from './merge-files.ts';
import { readResources } from './resources.ts';
import { requireSeparateLists } from './separate-lists.ts';

/**
 * Parses an IdentityServer configuration file (JSON, as .NET reads it), or the output of the query that reads its database.
 *
 * @throws {ImportError} if the file is C# or otherwise not JSON
 */
export function parseIdentityServer(text: string): Json {
  rejectCSharp(text);
  return parseQueryResult(text) ?? parseDecoratedJson(text);
}

/**
 * Reads the clients of a configuration, of one file or several: `Clients`, `ApiResources`, `ApiScopes` and `IdentityResources` with the properties
 * of IdentityServer's classes or the columns of its tables, and its options, as {@link findConfiguration} finds them.
 *
 * @param now milliseconds since the epoch
 * @throws {ImportError} if there are no `Clients`, or in files that .NET does not merge, or an option has a value that .NET rejects
 */
export function readConfiguration(files: readonly ConfigurationFile[], now: number): Drafts {
  requireSeparateLists(files);
  const { root, remarks, renamedClients } = mergeFiles(files);
  const configuration = findConfiguration(root);
  const clients = configuration.list('Clients');
  if (clients.some(({ value }) => typeof value === 'object' && value !== null && 'clientAuthenticatorType' in value)) {
    throw new ImportError('contains clients of Keycloak: run `countersign clients import keycloak`');
  }
  const server: Server = { configuration, resources: readResources(configuration), now };
  return {
    drafts: clients.map((client) => noteMixed(draftClient(client, server), renamedClients)),
    notes: [...server.resources.notes, ...optionNotes(configuration)],
    remarks: [...remarks, ...remarksOn(configuration)],
  };
}

/** One client that cannot be read does not stop the others: .NET omits it as well. */
function draftClient(client: Item, server: Server): Draft {
  try {
    return draftIdentityServerClient(client, server);
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    const label = labelOf(client);
    return { kind: 'skipped', label, reason: error.message, record: undefined, notes: [], remarks: [] };
  }
}

/** Few people know that .NET mixes clients, and one of them gets tokens with a certificate of the other. */
function noteMixed(draft: Draft, renamedClients: ReadonlyMap<string, string>): Draft {
  const file = renamedClients.get(draft.label);
  if (file === undefined) return draft;
  const text = `${file} replaces the ClientId of another client, as in .NET: what it does not replace, such as further secrets, is still that of the other client`;
  return { ...draft, notes: [...draft.notes, noteOf('mixed_client', text)] };
}

/** The `ClientId`, or where the client is: its names may be what cannot be read. */
function labelOf({ location, value }: Item): string {
  try {
    return textOf(sectionOf(value).get('clientid')) ?? `(${location})`;
  } catch (error) {
    if (error instanceof ImportError) return `(${location})`;
    throw error;
  }
}

/** RFC 9068 §2.1, which IdentityServer follows by default. */
const JWT_TYPE = 'at+jwt';
/** What .NET writes if the option is empty. */
const UNNAMED_TYPE = 'JWT';

function optionNotes(configuration: Configuration) {
  const type = configuration.option('AccessTokenJwtType');
  const jwtType = type === undefined ? JWT_TYPE : textOf(type)?.trim() || UNNAMED_TYPE;
  return [
    ...(jwtType === JWT_TYPE ? [] : [noteOf('jwt_type', jwtTypeText(jwtType))]),
    ...(flagOf(configuration.option('Endpoints.EnableTokenEndpoint'), true) ? [] : [noteOf('token_endpoint_off')]),
  ];
}

function jwtTypeText(type: string): string {
  return (
    `AccessTokenJwtType: the typ of tokens is "${type}" in IdentityServer; here it is ${JWT_TYPE}, which APIs that ` +
    'compare it must accept'
  );
}

/** Of the token itself. Many programs set them in code, as the templates of earlier versions do. */
const tokenOptions = ['EmitStaticAudienceClaim', 'AccessTokenJwtType', 'EmitScopesAsSpaceDelimitedStringInJwt'];

function remarksOn(configuration: Configuration): string[] {
  const absent = tokenOptions.filter((name) => configuration.option(name) === undefined);
  const { unknown } = configuration;
  return [
    'every token also has a sub, which is the client_id (RFC 9068 §2.2)',
    ...(absent.length === 0
      ? []
      : [
          `options that are not in the file count as not set: ${absent.join(', ')}. If IdentityServer sets one in code, add it`,
        ]),
    ...(unknown.length === 0
      ? []
      : [`IdentityServer has no options of these names, which were not imported: ${unknown.join(', ')}`]),
  ];
}
