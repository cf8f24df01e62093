import type { Json } from '../../../clients/json-value.ts';
import { type Comments, claimNameProblem, type JsonObject, parseSafeInteger, plainNote, withMember } from '../draft.ts';
import { jsonIn } from '../lenient-json.ts';
import { isTrue, listOf, type Members, membersOf, textOf } from './json.ts';

/** What protocol mappers add to access tokens. */
export interface MapperOutput {
  readonly audience: readonly string[];
  readonly claims: JsonObject;
}

/** The session notes that Keycloak maps for every service account. They identify the caller, as `client_id` and `sub` do. */
const builtInNotes = new Set(['clientId', 'client_id', 'clientHost', 'clientAddress']);

/**
 * Reads the mappers of access tokens from `protocolMappers`: audiences and hardcoded claims. Other ones become notes.
 *
 * @param added the output of other mappers, which is extended
 */
export function readMappers(mappers: unknown, added: MapperOutput, comments: Comments): MapperOutput {
  return listOf(mappers).reduce((before: MapperOutput, value) => {
    const { name, protocolMapper, config } = membersOf(value);
    const settings = membersOf(config);
    if (!isTrue(settings['access.token.claim'])) return before;
    const title = `the protocol mapper "${textOf(name) ?? ''}"`;
    if (protocolMapper === 'oidc-audience-mapper') return withAudience(before, settings);
    if (protocolMapper === 'oidc-hardcoded-claim-mapper') return withClaim(before, settings, title, comments);
    const isBuiltIn =
      protocolMapper === 'oidc-usersessionmodel-note-mapper' &&
      builtInNotes.has(textOf(settings['user.session.note']) ?? '');
    if (!isBuiltIn) comments.notes.push(plainNote(`${title} (${textOf(protocolMapper) ?? 'no type'}): not supported`));
    return before;
  }, added);
}

/** `included.client.audience` takes precedence, as in Keycloak. */
function withAudience(added: MapperOutput, settings: Members): MapperOutput {
  const audience = textOf(settings['included.client.audience']) ?? textOf(settings['included.custom.audience']);
  if (audience === undefined || added.audience.includes(audience)) return added;
  return { ...added, audience: [...added.audience, audience] };
}

function withClaim(added: MapperOutput, settings: Members, title: string, { notes }: Comments): MapperOutput {
  const { 'claim.name': claimName, 'claim.value': text, 'jsonType.label': label } = settings;
  if (text === undefined || text === null) return added;
  const path = pathOf(textOf(claimName) ?? '');
  const type = textOf(label) ?? 'String';
  const value = valueOfType(type, String(text));
  const problem = pathProblem(path) ?? (value === undefined ? `its value is not of type ${type}` : undefined);
  if (value !== undefined && problem === undefined) return { ...added, claims: withValueAt(added.claims, path, value) };
  notes.push(plainNote(`${title} was not imported: ${problem}`));
  return added;
}

function pathProblem(path: readonly string[]): string | undefined {
  const [name = '', ...inner] = path;
  if (path.includes('')) return 'its claim name has an empty part';
  return claimNameProblem(name) ?? (inner.includes('__proto__') ? claimNameProblem('__proto__') : undefined);
}

/** The parts of a claim name, which Keycloak separates by dots; a backslash escapes a dot. */
function pathOf(claimName: string): string[] {
  const parts = claimName.split(/(?<=(?<!\\)(?:\\\\)*)\./);
  return parts.map((part) => part.replaceAll(/\\(.)/gs, '$1'));
}

function withValueAt(members: JsonObject, [name = '', ...inner]: readonly string[], value: Json): JsonObject {
  if (inner.length === 0) return withMember(members, name, value);
  const before = Object.hasOwn(members, name) ? members[name] : undefined;
  return withMember(members, name, withValueAt(isObject(before) ? before : {}, inner, value));
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueOfType(type: string, text: string): Json | undefined {
  if (type === 'boolean') return text.toLowerCase() === 'true';
  if (type === 'int' || type === 'long') return parseSafeInteger(text);
  return type === 'JSON' ? jsonIn(text) : text;
}
