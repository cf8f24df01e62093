import type { RegistrationPolicy } from '../clients/diagnostics.ts';
import type { Settings } from '../operations/settings.ts';
import type { ClientCa } from './client-ca.ts';
import { oneOf } from './one-of.ts';

/** Reads what records may say; faults are collected in the settings. */
export function readRegistrationPolicy(settings: Settings, clientCa: ClientCa | undefined): RegistrationPolicy {
  return {
    allowSha1Thumbprints: settings.optional('ALLOW_SHA1_THUMBPRINTS', parseBoolean) ?? false,
    requireCaPin: settings.optional('REQUIRE_CA_PIN', parseBoolean) ?? false,
    anchors: clientCa?.store.anchors ?? [],
  };
}

function parseBoolean(text: string): boolean {
  return oneOf(['true', 'false'])(text) === 'true';
}
