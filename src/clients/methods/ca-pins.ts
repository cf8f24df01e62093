import { z } from 'zod';
import { CertificateError } from '../../pki/certificate/certificate-error.ts';
import { parseSha256Thumbprint } from '../../pki/certificate/thumbprint.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { describedAs, text } from '../record-fields.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';

const FIELD = 'tls_client_auth_ca';

export const caPinField = {
  [FIELD]: z
    .array(text())
    .min(1, 'must not be empty')
    .optional()
    .meta(describedAs('tls_client_auth: thumbprints of CA keys, one of which must be on the certification path')),
};

/**
 * Parses the CAs that a client is pinned to: thumbprints of their public keys, never names, since anyone can create a
 * second CA of the same name.
 *
 * @param dependent a field of the record that requires a pin, and why
 * @returns base64url SHA-256; empty if any anchor will do
 */
export function parseCaPins(
  record: { readonly [FIELD]?: readonly string[] | undefined },
  policy: RegistrationPolicy,
  { errors, warnings }: Diagnostics,
  dependent?: string,
): readonly string[] {
  const pins = record[FIELD];
  if (pins === undefined) {
    const hint = choices(policy);
    if (dependent !== undefined)
      errors.push({ field: FIELD, message: `is missing, and ${dependent}${hint || NO_CHOICE}` });
    else if (policy.requireCaPin)
      errors.push({ field: FIELD, message: `is missing, and COUNTERSIGN_REQUIRE_CA_PIN is true${hint}` });
    else if (policy.anchors.length > 1) warnings.push({ field: FIELD, message: `is missing${hint}` });
    return [];
  }
  return pins.flatMap((pin, index) => {
    try {
      const parsed = parseSha256Thumbprint(pin, '`countersign certificate CA.pem`');
      const unknown = unknownPin(parsed, policy);
      if (unknown !== undefined) warnings.push({ field: `${FIELD}[${index}]`, message: unknown });
      return parsed;
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      errors.push({ field: `${FIELD}[${index}]`, message: error.message });
      return [];
    }
  });
}

const NO_CHOICE = ': add the key of its CA, which `countersign certificate CA.pem` prints';

/** Why no certificate may ever match a pin: of the CAs on a path, only intermediates can be unknown in advance. */
function unknownPin(pin: string, { anchors, intermediates }: RegistrationPolicy): string | undefined {
  const isKnown = [...anchors, ...intermediates].some(({ publicKeyThumbprint }) => publicKeyThumbprint === pin);
  if (isKnown || anchors.length === 0) return undefined;
  const configured = anchors.map(nameOf).join(', ');
  return (
    'is not the key of a CA in COUNTERSIGN_CLIENT_CA_FILE: only the certificate of a client that sends an intermediate ' +
    `with this key matches. The configured CAs are ${configured}`
  );
}

/** The CAs that can issue a certificate with the client's name. */
function choices({ anchors }: RegistrationPolicy): string {
  if (anchors.length === 0) return '';
  const names = anchors.map(nameOf);
  if (names.length === 1) return `: add ${names[0]}`;
  return `: any of these CAs could issue a certificate for this client; add the key of the right one: ${names.join(', ')}`;
}

function nameOf({ subjectText, publicKeyThumbprint }: RegistrationPolicy['anchors'][number]): string {
  return `${publicKeyThumbprint} ("${subjectText}")`;
}
