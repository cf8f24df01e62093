import type { Json } from '../../../clients/json-value.ts';
import { type Comments, claimProblem, type Members, wholeNumber } from '../draft.ts';
import { jsonIn } from '../lenient-json.ts';
import { itemsOf, type Section, sectionOf, textOf } from './dotnet-configuration.ts';

const DEFAULT_PREFIX = 'client_';

/**
 * The claims of a client as they stand in its tokens: the prefix written out, several of one type as a list, values of
 * their `ValueType`. What a record cannot hold becomes a note.
 */
export function readClaims(client: Section, { notes }: Comments): Members | undefined {
  const prefixMember = client.get('clientclaimsprefix');
  const prefix = prefixMember ? (textOf(prefixMember) ?? '') : DEFAULT_PREFIX;
  const claims = new Map<string, Json[]>();
  for (const { place, value } of itemsOf(client.get('claims'))) {
    const claim = sectionOf(value);
    const type = textOf(claim.get('type'));
    const name = `${prefix}${type ?? ''}`;
    const fault = type === undefined ? 'it has no Type' : claimProblem(name);
    if (fault !== undefined) notes.push(`the claim ${type === undefined ? place : name} is left out: ${fault}`);
    else claims.set(name, [...(claims.get(name) ?? []), readValue(claim)]);
  }
  if (claims.size === 0) return undefined;
  return Object.fromEntries([...claims].map(([name, values]) => [name, oneOrMany(values)]));
}

function oneOrMany(values: readonly Json[]): Json {
  const [only = null, ...more] = values;
  return more.length === 0 ? only : values;
}

/** `ValueType` is one of `ClaimValueTypes` (`…XMLSchema#integer`), or IdentityServer's own `json`. */
function readValue(claim: Section): Json {
  const text = textOf(claim.get('value')) ?? '';
  const valueType = textOf(claim.get('valuetype'))?.toLowerCase() ?? '';
  const type = valueType.slice(valueType.lastIndexOf('#') + 1);
  return Object.hasOwn(readers, type) ? (readers[type]?.(text) ?? text) : text;
}

/** What cannot be read stays text, as it does there. */
const readers: Readonly<Record<string, (text: string) => Json | undefined>> = {
  boolean: booleanOf,
  integer: wholeNumber,
  integer32: wholeNumber,
  integer64: wholeNumber,
  double: (text) => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined),
  json: jsonIn,
};

function booleanOf(text: string): boolean | undefined {
  const flag = text.toLowerCase();
  return flag === 'true' || flag === 'false' ? flag === 'true' : undefined;
}
