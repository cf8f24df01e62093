import type { ListedResource } from '../../administration/stored-records.ts';
import { formatDiagnostic } from '../../clients/diagnostics.ts';
import type { JsonObject } from '../../clients/json-value.ts';
import type { ForwardedToken, TokenBinding } from '../../resources/resource.ts';
import type { SigningAlgorithm } from '../../tokens/algorithms/signing-algorithm.ts';

/** One resource of the list, in JSON and YAML. Of an invalid record, only `name` and `errors` are known. */
export interface ResourceSummary {
  readonly name: string;
  /** Whether the server accepts the record. Otherwise the edge rejects its requests, and `errors` has the reasons. */
  readonly valid: boolean;
  readonly resource?: string;
  readonly scopes?: readonly string[];
  readonly access_token_lifetime?: number;
  readonly binding?: TokenBinding['kind'];
  /** Of the certificates that the proxy presents to the upstream, base64url. */
  readonly proxy_thumbprints?: readonly string[];
  readonly forward?: ForwardedToken;
  readonly resource_metadata?: string;
  readonly signing_alg?: SigningAlgorithm;
  /** The `client_id`s of those that may introspect its tokens. */
  readonly introspection?: readonly string[];
  readonly errors: readonly string[];
}

/** A resource in full, in JSON and YAML. */
export interface ResourceDescription extends ResourceSummary {
  /** The record as stored in Redis; absent when the value is not a JSON object. */
  readonly record?: JsonObject;
}

export function describeResource(listed: ListedResource): ResourceDescription {
  const { record } = listed;
  return { ...summarizeResource(listed), ...(record && { record }) };
}

export function summarizeResource({ name, resource, errors }: ListedResource): ResourceSummary {
  const messages = errors.map(formatDiagnostic);
  if (!resource) return { name, valid: false, errors: messages };
  const { binding, metadataUrl, signingAlgorithm, introspectionClients } = resource;
  return {
    name,
    valid: true,
    resource: resource.audience,
    scopes: resource.scopes,
    access_token_lifetime: resource.accessTokenLifetimeSeconds,
    binding: binding.kind,
    ...(binding.kind === 'proxy' && { proxy_thumbprints: binding.thumbprints }),
    forward: resource.forward,
    ...(metadataUrl !== undefined && { resource_metadata: metadataUrl }),
    ...(signingAlgorithm !== undefined && { signing_alg: signingAlgorithm }),
    ...(introspectionClients.length > 0 && { introspection: introspectionClients }),
    errors: messages,
  };
}
