import { spiffeIdViolation } from '../pki/certificate/spiffe-id.ts';
import type { Client } from './client.ts';
import type { Diagnostic, Diagnostics } from './diagnostics.ts';
import { nonJsonValue } from './json-value.ts';
import { spiffePatternOf } from './methods/methods.ts';
import { parseAudience } from './parse-audience.ts';
import { parseRegistrations } from './parse-registrations.ts';
import { type ClientRecord, clientRecordSchema } from './record-schema.ts';
import { registeredIdentitiesOf } from './registered-identities.ts';
import type { RegistrationPolicy } from './registration-policy.ts';
import { schemaDiagnostics } from './schema-diagnostics.ts';
import { parseTokenRate } from './token-rate.ts';

const diagnosticsOf = schemaDiagnostics(clientRecordSchema);

/** A client and its warnings, or all errors of its record. */
export type ClientParseResult =
  | { readonly ok: true; readonly client: Client; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly errors: readonly Diagnostic[] };

/**
 * Parses a client record.
 *
 * @param value the record as parsed from YAML or JSON
 * @param now milliseconds since the epoch, for warnings about registrations that have ended
 */
export function parseClient(value: unknown, policy: RegistrationPolicy, now: number): ClientParseResult {
  // This comes first, because everything else recurses, and a hostile record can overflow the stack.
  const invalid = nonJsonValue(value);
  if (invalid) return { ok: false, errors: [invalid] };
  const parsed = clientRecordSchema.safeParse(value);
  if (!parsed.success) return { ok: false, errors: diagnosticsOf(value, parsed.error.issues) };
  const record = parsed.data;
  const diagnostics: Diagnostics = { errors: [], warnings: [] };
  const registrations = parseRegistrations(record, policy, diagnostics, now);
  const scopes = scopesOf(record);
  const audience = parseAudience(record, scopes, diagnostics);
  if (!registrations || diagnostics.errors.length > 0) return { ok: false, errors: diagnostics.errors };
  const client: Client = {
    clientId: record.client_id,
    enabled: record.enabled,
    registrations,
    grantTypes: record.grant_types,
    scopes,
    audience,
    accessTokenLifetimeSeconds: record.access_token_lifetime,
    tokenRate: record.token_rate === undefined ? undefined : parseTokenRate(record.token_rate),
    scopeClaim: record.access_token_scope_claim,
    claims: record.claims,
  };
  warnOfPlaceholder(client, diagnostics);
  warnOfForeignSpiffeId(client, diagnostics);
  return { ok: true, client, warnings: diagnostics.warnings };
}

/** The `client_id` of the records that `countersign certificate` prints. */
export const CLIENT_ID_PLACEHOLDER = 'CHOOSE-ONE';

function warnOfPlaceholder({ clientId }: Client, { warnings }: Diagnostics): void {
  if (clientId !== CLIENT_ID_PLACEHOLDER) return;
  const message = 'is the placeholder of `countersign certificate`: choose the client_id that the client sends';
  warnings.push({ field: 'client_id', message });
}

/** RFC 9068 §5: the `sub` of a client must not be taken for that of another one. */
function warnOfForeignSpiffeId(client: Client, { warnings }: Diagnostics): void {
  const { clientId, registrations } = client;
  const isSpiffeId = clientId.startsWith('spiffe:') && spiffeIdViolation(clientId) === undefined;
  if (!isSpiffeId || spiffePatternOf(registrations)) return;
  const isOwn = registeredIdentitiesOf(client).some(
    ({ identity: { kind, value } }) => kind === 'uri' && value === clientId,
  );
  if (isOwn) return;
  const message =
    'is a SPIFFE ID that the certificate of the client need not have, and the sub of its tokens: another workload may ' +
    'have it. Register the client by this ID (tls_client_auth_spiffe_id), or choose another client_id';
  warnings.push({ field: 'client_id', message });
}

function scopesOf({ scope }: ClientRecord): string[] {
  return scope === '' ? [] : [...new Set(scope.split(' '))];
}
