import type { z } from 'zod';
import type { Client } from './client.ts';
import type { Diagnostic, Diagnostics } from './diagnostics.ts';
import { nonJsonValue } from './json-value.ts';
import { parseClientAuthentication } from './parse-client-authentication.ts';
import { type ClientRecord, clientRecordSchema } from './record-schema.ts';
import type { RegistrationPolicy } from './registration-policy.ts';

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
  if (typeof audience === 'string') return { always: [audience], byScope: new Map() };
  if (Array.isArray(audience)) return { always: audience, byScope: new Map() };
  const registered = scopesOf(record);
  const byScope = new Map<string, readonly string[]>();
  for (const [scope, values] of Object.entries(audience)) {
    if (!registered.includes(scope))
      errors.push({ field: `audience.${scope}`, message: 'is not a scope of this client' });
    byScope.set(scope, typeof values === 'string' ? [values] : values);
  }
  return { always: [], byScope };
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
