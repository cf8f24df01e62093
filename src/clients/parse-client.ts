import type { z } from 'zod';
import type { Client } from './client.ts';
import type { Diagnostic, Diagnostics, RegistrationPolicy } from './diagnostics.ts';
import { parseClientAuthentication } from './parse-client-authentication.ts';
import { type ClientRecord, clientRecordSchema } from './record-schema.ts';

/** A client with what its operator should know about it, or everything that is wrong with its record. */
export type ClientParseResult =
  | { readonly ok: true; readonly client: Client; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly errors: readonly Diagnostic[] };

/**
 * Reads a client's record, as it came from YAML or JSON.
 *
 * @param now milliseconds since the epoch, for warnings about registrations that have ended
 */
export function parseClient(value: unknown, policy: RegistrationPolicy, now: number): ClientParseResult {
  // Before anything that recurses: a record may be nested more deeply than a stack.
  const obstacle = nonJsonValue(value);
  if (obstacle) return { ok: false, errors: [obstacle] };
  const parsed = clientRecordSchema.safeParse(value);
  if (!parsed.success) return { ok: false, errors: parsed.error.issues.map(faultOfIssue) };
  const record = parsed.data;
  const findings: Diagnostics = { errors: [], warnings: [] };
  const authentication = parseClientAuthentication(record, policy, findings, now);
  const audience = readAudience(record, findings);
  if (!authentication || findings.errors.length > 0) return { ok: false, errors: findings.errors };
  const client: Client = {
    clientId: record.client_id,
    enabled: record.enabled,
    authentication,
    grantTypes: record.grant_types,
    scopes: scopesOf(record),
    audience,
    accessTokenLifetimeSeconds: record.access_token_lifetime,
    scopeClaim: record.access_token_scope_claim,
    claims: record.claims,
  };
  return { ok: true, client, warnings: findings.warnings };
}

function scopesOf({ scope }: ClientRecord): string[] {
  return scope === '' ? [] : [...new Set(scope.split(' '))];
}

/** One audience, several, or a map from scope to either. */
function readAudience(record: ClientRecord, { errors }: Diagnostics): Client['audience'] {
  const { audience = [] } = record;
  if (typeof audience === 'string') return { always: [audience], ofScope: new Map() };
  if (Array.isArray(audience)) return { always: audience, ofScope: new Map() };
  const registered = scopesOf(record);
  const ofScope = new Map<string, readonly string[]>();
  for (const [scope, values] of Object.entries(audience)) {
    if (!registered.includes(scope))
      errors.push({ field: `audience.${scope}`, message: 'is not a scope of this client' });
    ofScope.set(scope, typeof values === 'string' ? [values] : values);
  }
  return { always: [], ofScope };
}

function faultOfIssue(issue: z.core.$ZodIssue): Diagnostic {
  if (issue.code === 'unrecognized_keys') {
    return { field: pathOf([...issue.path, issue.keys[0] ?? '']), message: unknownFieldMessage(issue.keys) };
  }
  return { field: pathOf(issue.path), message: issue.code === 'invalid_type' ? typeMessage(issue) : issue.message };
}

/** What YAML makes of `no`, `yes`, `1e5` or `1234` surprises people: the mend is said. */
function typeMessage({ expected, message }: z.core.$ZodIssueInvalidType): string {
  const found = /received (\w+)/.exec(message)?.[1] ?? 'something else';
  if (found === 'undefined') return 'is missing';
  if (expected === 'boolean') return `must be true or false, not a ${found}`;
  const foundWords = inWords[found] ?? `a ${found}`;
  if (expected === 'string' && found !== 'array' && found !== 'object')
    return `must be text, not ${foundWords}; put it in quotes`;
  return `must be ${inWords[expected] ?? `a ${expected}`}, not ${foundWords}`;
}

/** How YAML's kinds are called. */
const inWords: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a map of fields',
  record: 'a map of fields',
  int: 'a whole number',
};

function unknownFieldMessage([, ...others]: readonly string[]): string {
  const more = others.length > 0 ? `; unknown, too: ${others.join(', ')}` : '';
  return `is not a field that the server knows${more}`;
}

function pathOf(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(
    (parent, key) => (typeof key === 'number' ? `${parent}[${key}]` : `${parent}.${String(key)}`),
    '',
  );
  return text.replace(/^\./, '') || '(record)';
}

/** Far deeper than anybody's claims; what reads a record further on may recurse over it. */
export const MAX_DEPTH = 64;

interface Place {
  readonly value: object;
  readonly name: string;
  readonly parent: Place | undefined;
  readonly depth: number;
}

/**
 * Why a value could not stand in Redis and come out again as it was: the depth of it, a number that JSON does not have,
 * or a name that JavaScript keeps for itself. It looks also where the schema of records takes anything. Without
 * recursion, so that also what refers to itself ends at the depth.
 */
export function nonJsonValue(root: unknown): Diagnostic | undefined {
  if (!isObject(root)) return undefined;
  const open: Place[] = [{ value: root, name: '', parent: undefined, depth: 1 }];
  for (let place = open.pop(); place; place = open.pop()) {
    if (place.depth > MAX_DEPTH) return { field: '(record)', message: 'is nested too deeply' };
    for (const [name, value] of Object.entries(place.value)) {
      const message = faultOf(name, value);
      if (message !== undefined) return { field: pathOfPlace(place, name), message };
      if (isObject(value)) open.push({ value, name, parent: place, depth: place.depth + 1 });
    }
  }
  return undefined;
}

function faultOf(name: string, value: unknown): string | undefined {
  // What copies an object would lose the member without a word.
  if (name === '__proto__') return 'is a name that cannot be used; choose another one';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'is a number that JSON cannot hold';
  return undefined;
}

function pathOfPlace({ name, value, parent }: Place, member: string): string {
  const own = Array.isArray(value) ? `[${member}]` : `.${member}`;
  return parent ? `${pathOfPlace(parent, name)}${own}` : own.replace(/^\./, '');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
