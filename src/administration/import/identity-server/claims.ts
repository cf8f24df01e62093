import type { Json } from '../../../clients/json-value.ts';
import { type Comments, claimNameProblem, type JsonObject, parseSafeInteger } from '../draft.ts';
import { jsonIn } from '../lenient-json.ts';
import { itemsOf, type Section, sectionOf, textOf } from './dotnet-configuration.ts';

const DEFAULT_PREFIX = 'client_';

/**
 * Reads `Claims` as they appear in the tokens of the client: with `ClientClaimsPrefix`, several of one type as a list,
 * and values of their `ValueType`. Claims that a record cannot hold become notes.
 */
export function readClaims(client: Section, { notes }: Comments): JsonObject | undefined {
  const prefixMember = client.get('clientclaimsprefix');
  const prefix = prefixMember ? (textOf(prefixMember) ?? '') : DEFAULT_PREFIX;
  const claims = new Map<string, Json[]>();
  for (const { location, value } of itemsOf(client.get('claims'))) {
    const claim = sectionOf(value);
    const type = textOf(claim.get('type'));
    const name = `${prefix}${type ?? ''}`;
    const problem = type === undefined ? 'Type is missing' : claimNameProblem(name);
    if (problem !== undefined)
      notes.push(`the claim ${type === undefined ? location : name} was not imported: ${problem}`);
    else claims.set(name, [...(claims.get(name) ?? []), readValue(claim)]);
  }
  if (claims.size === 0) return undefined;
  return Object.fromEntries([...claims].map(([name, values]) => [name, oneOrList(values)]));
}

function oneOrList(values: readonly Json[]): Json {
  const [only = null, ...more] = values;
  return more.length === 0 ? only : values;
}

/** `ValueType` is one of `ClaimValueTypes` (`…XMLSchema#integer`), or `json`, which IdentityServer adds. */
function readValue(claim: Section): Json {
  const text = textOf(claim.get('value')) ?? '';
  const valueType = textOf(claim.get('valuetype'))?.toLowerCase() ?? '';
  const type = valueType.slice(valueType.lastIndexOf('#') + 1);
  return Object.hasOwn(valueParsers, type) ? (valueParsers[type]?.(text) ?? text) : text;
}

/** By `ValueType`. A value that cannot be parsed stays a string, as in IdentityServer. */
const valueParsers: Readonly<Record<string, (text: string) => Json | undefined>> = {
  boolean: parseBoolean,
  integer: parseSafeInteger,
  integer32: parseSafeInteger,
  integer64: parseSafeInteger,
  double: (text) => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined),
  json: jsonIn,
};

function parseBoolean(text: string): boolean | undefined {
  const flag = text.toLowerCase();
  return flag === 'true' || flag === 'false' ? flag === 'true' : undefined;
}
