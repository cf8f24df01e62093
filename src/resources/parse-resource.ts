import type { Diagnostic } from '../clients/diagnostics.ts';
import { nonJsonValue } from '../clients/json-value.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { schemaDiagnostics } from '../clients/schema-diagnostics.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { parseSha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import { MAX_UNBOUND_LIFETIME_SECONDS, type ResourceRecord, resourceRecordSchema } from './record-schema.ts';
import type { Resource, TokenBinding } from './resource.ts';

/** A resource, or all errors of its record. */
export type ResourceParseResult =
  | { readonly ok: true; readonly resource: Resource }
  | { readonly ok: false; readonly errors: readonly Diagnostic[] };

const diagnosticsOf = schemaDiagnostics(resourceRecordSchema);

/**
 * Parses a resource record.
 *
 * @param value the record as parsed from YAML or JSON
 */
export function parseResource(value: unknown, policy: RegistrationPolicy): ResourceParseResult {
  // This comes first, because everything else recurses, and a hostile record can overflow the stack.
  const invalid = nonJsonValue(value);
  if (invalid) return { ok: false, errors: [invalid] };
  const parsed = resourceRecordSchema.safeParse(value);
  if (!parsed.success) return { ok: false, errors: diagnosticsOf(value, parsed.error.issues) };
  const record = parsed.data;
  const errors: Diagnostic[] = [];
  const binding = parseBinding(record, policy, errors);
  if (!binding || errors.length > 0) return { ok: false, errors };
  const resource: Resource = {
    name: record.name,
    audience: record.resource,
    scopes: [...new Set(record.scope.split(' '))],
    accessTokenLifetimeSeconds: record.access_token_lifetime,
    binding,
    forward: record.forward,
    metadataUrl: record.resource_metadata,
    signingAlgorithm: record.signing_alg,
    introspectionClients: record.introspection,
  };
  return { ok: true, resource };
}

function parseBinding(
  record: ResourceRecord,
  policy: RegistrationPolicy,
  errors: Diagnostic[],
): TokenBinding | undefined {
  if (record.binding === 'proxy') return parseProxyBinding(record, errors);
  if (record.proxy_thumbprints !== undefined) {
    const message = `belongs to binding: proxy, and this is binding: ${record.binding}; remove it, or change the binding`;
    errors.push({ field: 'proxy_thumbprints', message });
  }
  if (record.binding === 'none') requireUnboundTokensAllowed(record, policy, errors);
  return { kind: record.binding };
}

function parseProxyBinding({ proxy_thumbprints }: ResourceRecord, errors: Diagnostic[]): TokenBinding | undefined {
  const field = 'proxy_thumbprints';
  const [current, ...others] = (proxy_thumbprints ?? []).flatMap((text, index) => {
    const thumbprint = parseProxyThumbprint(text);
    if (typeof thumbprint === 'string') return [thumbprint];
    errors.push({ field: `${field}[${index}]`, message: thumbprint.message });
    return [];
  });
  if (proxy_thumbprints === undefined) errors.push({ field, message: MISSING_THUMBPRINTS });
  if (current === undefined) return undefined;
  if (others.includes(current)) errors.push({ field: `${field}[1]`, message: 'is the same as the first; remove it' });
  return { kind: 'proxy', thumbprints: [current, ...others] };
}

const MISSING_THUMBPRINTS =
  'is missing: binding: proxy requires the thumbprint of the certificate that the proxy presents to the upstream, ' +
  'as `countersign certificate FILE` prints it';

function parseProxyThumbprint(text: string): string | CertificateError {
  try {
    return parseSha256Thumbprint(text, '`countersign certificate FILE`');
  } catch (error) {
    if (error instanceof CertificateError) return error;
    throw error;
  }
}

/** A stolen one works for any client, until it expires. */
function requireUnboundTokensAllowed(record: ResourceRecord, policy: RegistrationPolicy, errors: Diagnostic[]): void {
  if (!policy.allowUnboundEdgeTokens) {
    const message = 'none requires COUNTERSIGN_ALLOW_UNBOUND_EDGE_TOKENS=true: anyone can use such a token';
    errors.push({ field: 'binding', message });
  }
  if (record.access_token_lifetime > MAX_UNBOUND_LIFETIME_SECONDS) {
    const message = `must be at most ${MAX_UNBOUND_LIFETIME_SECONDS} (seconds) with binding: none`;
    errors.push({ field: 'access_token_lifetime', message });
  }
}
