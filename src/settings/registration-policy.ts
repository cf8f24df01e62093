import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import type { ClientCa } from './client-ca.ts';
import { parseBoolean } from './parsers.ts';
import { defineSettings } from './setting.ts';
import type { Settings } from './settings.ts';

export const registrationSettings = defineSettings('Client certificates', {
  REQUIRE_CA_PIN: {
    parse: parseBoolean,
    description: '`true` rejects clients that are registered by a name without a pinned CA (`tls_client_auth_ca`)',
    default: 'false',
  },
  ALLOW_SHA1_THUMBPRINTS: {
    parse: parseBoolean,
    description: '`true` accepts certificates registered by SHA-1 thumbprint, with a warning',
    default: 'false',
  },
  UNIQUE_CERTIFICATES: {
    parse: parseBoolean,
    description: '`true` rejects clients that share a certificate or a name with another client',
    details:
      'Set it where tenants register themselves. The server enforces it for a clients file; records in Redis are ' +
      'checked when they are written, so the commands need it, too. ' +
      'See [Shared certificates](manage-clients.md#shared-certificates).',
    default: 'false',
  },
});

export const resourceSettings = defineSettings('Edge', {
  ALLOW_UNBOUND_EDGE_TOKENS: {
    parse: parseBoolean,
    description: '`true` accepts resources with `binding: none`, whose tokens are bound to no certificate',
    details: 'The commands that validate [records](clients.md#resources) need it, too.',
    default: 'false',
  },
});

/** Reads what records may contain. Problems are collected in `settings`. */
export function readRegistrationPolicy(settings: Settings, clientCa: ClientCa | undefined): RegistrationPolicy {
  return {
    allowSha1Thumbprints: settings.read(registrationSettings.ALLOW_SHA1_THUMBPRINTS),
    requireCaPin: settings.read(registrationSettings.REQUIRE_CA_PIN),
    uniqueCertificates: settings.read(registrationSettings.UNIQUE_CERTIFICATES),
    allowUnboundEdgeTokens: settings.read(resourceSettings.ALLOW_UNBOUND_EDGE_TOKENS),
    anchors: clientCa?.store.anchors ?? [],
    intermediates: clientCa?.store.intermediates ?? [],
  };
}
