import type { UnsuitableName } from './certificate-names.ts';
import { yamlText } from './output/document.ts';

/** A client record, or part of one, for the operator to paste. */
export interface SuggestedRecord {
  readonly title: string;
  readonly record: object;
  readonly yaml: string;
}

/** The records to choose from, the best one first. */
export interface Suggestions {
  readonly records: readonly SuggestedRecord[];
  readonly unsuitable: readonly UnsuitableName[];
}

/** @param title without the colon */
export function suggest(title: string, record: object): SuggestedRecord {
  return { title, record, yaml: yamlText('client_id' in record ? [record] : record).trimEnd() };
}

/** The pin of a client to this CA, for its record. */
export function suggestPin(publicKeyThumbprint: string): SuggestedRecord {
  return suggest('To pin a client to this CA, add to its record', { tls_client_auth_ca: [publicKeyThumbprint] });
}
