import type { JsonObject } from '../clients/json-value.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { parseResource, type ResourceParseResult } from './parse-resource.ts';

/**
 * Parses the decoded value of a resource's key in Redis by the rules of the server. Its `name` must be the one in its key.
 */
export function parseStoredResource(name: string, record: JsonObject, policy: RegistrationPolicy): ResourceParseResult {
  const result = parseResource(record, policy);
  if (!result.ok || result.resource.name === name) return result;
  // It is safe to repeat, because it has the grammar of a name.
  const message = `is "${result.resource.name}", which differs from the name in its Redis key`;
  return { ok: false, errors: [{ field: 'name', message }] };
}
