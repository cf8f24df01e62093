import type { Json } from '../../../clients/json-value.ts';
import { type Comments, claimNameProblem, type JsonObject, parseSafeInteger } from '../draft.ts';
import { jsonIn } from '../lenient-json.ts';
import { noteOf } from './differences.ts';
import { itemsOf, type Member, type Section, sectionOf, textOf } from './dotnet-configuration.ts';
import { flagOf } from './dotnet-values.ts';

const DEFAULT_PREFIX = 'client_';

/** The claims of a client's tokens. */
export interface ImportedClaims {
  readonly record: JsonObject | undefined;
  /** Why IdentityServer cannot write its tokens, if it cannot. */
  readonly rejections: readonly string[];
}

/**
 * Reads `Claims` as they appear in the tokens of the client: with `ClientClaimsPrefix`, several of one type as a list,
 * and values of their `ValueType`. Claims that a record cannot hold become notes, unless IdentityServer omits them too.
 *
 * @param hasAudience whether its tokens have an aud in IdentityServer
 */
export function readClaims(client: Section, hasAudience: boolean, { notes }: Comments): ImportedClaims {
  const omitted = omittedClaims(client, hasAudience);
  const rejections: string[] = [];
  const values = new Map<string, Json[]>();
  for (const { name, text, valueType } of distinctClaims(client)) {
    const problem = claimNameProblem(name);
    if (omitted.has(name)) continue;
    const value: ClaimValue = untypedClaims.has(name) ? { kind: 'exact', value: text } : readValue(text, valueType);
    if (value.kind === 'invalid') rejections.push(`the claim ${name} is not a value of its ValueType`);
    if (problem !== undefined) {
      notes.push(noteOf('claim_omitted', `the claim ${name} was not imported: ${problem}`));
      continue;
    }
    if (value.kind === 'inexact')
      notes.push(
        noteOf('claim_changed', `the claim ${name} is the string "${text}" here, and a number in IdentityServer`),
      );
    values.set(name, [...(values.get(name) ?? []), value.kind === 'exact' ? value.value : text]);
  }
  const record = Object.fromEntries([...values].map(([name, list]) => [name, oneOrList(list)]));
  return { record: values.size === 0 ? undefined : record, rejections };
}

/** Claims that IdentityServer replaces with its own. */
function omittedClaims(client: Section, hasAudience: boolean): ReadonlySet<string> {
  return new Set([
    ...['iss', 'nbf', 'iat', 'exp', 'cnf'],
    ...(hasAudience ? ['aud'] : []),
    ...(flagOf(client.get('includejwtid'), true) ? ['jti'] : []),
  ]);
}

/** Claims that IdentityServer writes as texts. */
const untypedClaims: ReadonlySet<string> = new Set(['scope', 'amr']);

interface WrittenClaim {
  readonly name: string;
  readonly text: string;
  readonly valueType: string;
}

/** IdentityServer omits a claim with the type, in any case, and the value of an earlier one. */
function distinctClaims(client: Section): WrittenClaim[] {
  const member = client.get('clientclaimsprefix');
  const prefix = member ? (textOf(member) ?? '') : DEFAULT_PREFIX;
  const all = itemsOf(client.get('claims')).flatMap(({ value }) => {
    const claim = sectionOf(value);
    const [type, text] = [textOf(claim.get('type')), writtenText(claim.get('value'))];
    // Without a value, the binder omits it.
    if (type === undefined || text === undefined) return [];
    const name = `${prefix.trim() === '' ? '' : prefix}${type}`;
    return [{ name, text, valueType: textOf(claim.get('valuetype')) ?? TEXT }];
  });
  const byKey = Map.groupBy(all, ({ name, text, valueType }) => JSON.stringify([name.toLowerCase(), text, valueType]));
  return [...byKey.values()].flatMap(([first]) => first ?? []);
}

const SCHEMA = 'http://www.w3.org/2001/XMLSchema#';
const TEXT = `${SCHEMA}string`;

/** An empty text is a value. */
function writtenText(member: Member | undefined): string | undefined {
  return member?.value === '' ? '' : textOf(member);
}

function oneOrList(values: readonly Json[]): Json {
  const [only = null, ...more] = values;
  return more.length === 0 ? only : values;
}

type ClaimValue = { readonly kind: 'exact'; readonly value: Json } | { readonly kind: 'inexact' | 'invalid' };

/** `ValueType` is one of `ClaimValueTypes`, or `json` in any case, which IdentityServer adds; others are strings. */
function readValue(text: string, valueType: string): ClaimValue {
  const type = valueType.startsWith(SCHEMA) ? valueType.slice(SCHEMA.length) : valueType.toLowerCase();
  const isKnown = valueType.startsWith(SCHEMA) ? type !== 'json' : type === 'json';
  const parse = isKnown && Object.hasOwn(valueParsers, type) ? valueParsers[type] : undefined;
  return parse ? parse(text.trim()) : { kind: 'exact', value: text };
}

/** By `ValueType`. IdentityServer fails to write a token with another value. */
const valueParsers: Readonly<Record<string, (text: string) => ClaimValue>> = {
  boolean: (text) => exactOr(parseBoolean(text)),
  integer: parseInt32,
  integer32: parseInt32,
  integer64: parseInteger,
  double: (text) => exactOr(parseDouble(text)),
  json: (text) => exactOr(isStrictJson(text) ? jsonIn(text) : undefined),
};

function exactOr(value: Json | undefined): ClaimValue {
  return value === undefined ? { kind: 'invalid' } : { kind: 'exact', value };
}

/** IdentityServer reads `integer` as Int32 as well. */
function parseInt32(text: string): ClaimValue {
  const parsed = parseInteger(text);
  return parsed.kind === 'exact' && Number(parsed.value) === (Number(parsed.value) | 0) ? parsed : { kind: 'invalid' };
}

function parseInteger(text: string): ClaimValue {
  if (!/^[+-]?\d+$/.test(text)) return { kind: 'invalid' };
  const value = parseSafeInteger(text.replace('+', ''));
  return value === undefined ? { kind: 'inexact' } : { kind: 'exact', value };
}

/** With separators of thousands, wherever they are. JSON has no infinity. */
function parseDouble(text: string): number | undefined {
  const isNumber = /^[+-]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text);
  const value = Number(text.replaceAll(',', ''));
  return isNumber && Number.isFinite(value) ? value : undefined;
}

/** Without comments and trailing commas. */
function isStrictJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parseBoolean(text: string): boolean | undefined {
  const flag = text.toLowerCase();
  return flag === 'true' || flag === 'false' ? flag === 'true' : undefined;
}
