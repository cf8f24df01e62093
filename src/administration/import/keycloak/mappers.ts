import type { Json } from '../../../clients/json-value.ts';
import { type Comments, claimProblem, type Members, wholeNumber, withMember } from '../draft.ts';
import { jsonIn } from '../lenient-json.ts';
import { type Members as Config, isTrue, listOf, membersOf, textOf } from './json.ts';

/** What the protocol mappers of a client, or of one of its scopes, add to its access tokens. */
export interface Added {
  readonly audience: readonly string[];
  readonly claims: Members;
}

/** What Keycloak itself adds to every service account, which names the caller: our tokens do so by other claims. */
const ownNotes = new Set(['clientId', 'client_id', 'clientHost', 'clientAddress']);

/**
 * Reads `protocolMappers` as far as access tokens go: audiences and fixed claims. Others become notes.
 *
 * @param added what others added before
 */
export function readMappers(mappers: unknown, added: Added, comments: Comments): Added {
  return listOf(mappers).reduce((before: Added, value) => {
    const { name, protocolMapper, config } = membersOf(value);
    const settings = membersOf(config);
    if (!isTrue(settings['access.token.claim'])) return before;
    const title = `the protocol mapper "${textOf(name) ?? ''}"`;
    if (protocolMapper === 'oidc-audience-mapper') return withAudience(before, settings);
    if (protocolMapper === 'oidc-hardcoded-claim-mapper') return withClaim(before, settings, title, comments);
    const isOwn =
      protocolMapper === 'oidc-usersessionmodel-note-mapper' &&
      ownNotes.has(textOf(settings['user.session.note']) ?? '');
    if (!isOwn) comments.notes.push(`${title} (${textOf(protocolMapper) ?? 'of no type'}) has no equivalent`);
    return before;
  }, added);
}

/** The client's name counts before the text. */
function withAudience(added: Added, settings: Config): Added {
  const audience = textOf(settings['included.client.audience']) ?? textOf(settings['included.custom.audience']);
  if (audience === undefined || added.audience.includes(audience)) return added;
  return { ...added, audience: [...added.audience, audience] };
}

function withClaim(added: Added, settings: Config, title: string, { notes }: Comments): Added {
  const { 'claim.name': claimName, 'claim.value': text, 'jsonType.label': label } = settings;
  if (text === undefined || text === null) return added;
  const path = pathOf(textOf(claimName) ?? '');
  const type = textOf(label) ?? 'String';
  const value = valueOfType(type, String(text));
  const fault = pathFault(path) ?? (value === undefined ? `its value is not of type ${type}` : undefined);
  if (value !== undefined && fault === undefined) return { ...added, claims: withValueAt(added.claims, path, value) };
  notes.push(`${title} is left out: ${fault}`);
  return added;
}

function pathFault(path: readonly string[]): string | undefined {
  const [name = '', ...inner] = path;
  if (path.includes('')) return 'its claim has no name';
  return claimProblem(name) ?? (inner.includes('__proto__') ? claimProblem('__proto__') : undefined);
}

/** A claim's name leads through objects: a dot separates, unless there is a backslash before it. */
function pathOf(claimName: string): string[] {
  const parts = claimName.split(/(?<=(?<!\\)(?:\\\\)*)\./);
  return parts.map((part) => part.replaceAll(/\\(.)/gs, '$1'));
}

function withValueAt(members: Members, [name = '', ...inner]: readonly string[], value: Json): Members {
  if (inner.length === 0) return withMember(members, name, value);
  const before = Object.hasOwn(members, name) ? members[name] : undefined;
  return withMember(members, name, withValueAt(isMembers(before) ? before : {}, inner, value));
}

function isMembers(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueOfType(type: string, text: string): Json | undefined {
  if (type === 'boolean') return text.toLowerCase() === 'true';
  if (type === 'int' || type === 'long') return wholeNumber(text);
  return type === 'JSON' ? jsonIn(text) : text;
}
