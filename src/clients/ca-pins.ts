import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { parseSha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import type { ClientRecord } from './client-record.ts';
import type { Findings, RegistrationPolicy } from './findings.ts';

const FIELD = 'tls_client_auth_ca';

/**
 * Reads through which CAs the path of a client's certificate must go: thumbprints of their public keys, never names,
 * since a second CA of the same name is somebody else. What is wrong goes to `findings`.
 *
 * @returns base64url; none where any anchor will do
 */
export function readCaPins(
  record: ClientRecord,
  policy: RegistrationPolicy,
  { faults, warnings }: Findings,
): readonly string[] {
  const texts = record.tls_client_auth_ca;
  if (texts === undefined) {
    const message = missing(policy);
    if (policy.requireCaPin)
      faults.push({ field: FIELD, message: `is missing, and COUNTERSIGN_REQUIRE_CA_PIN is true${message}` });
    else if (policy.anchors.length > 1) warnings.push({ field: FIELD, message: `is missing${message}` });
    return [];
  }
  return texts.flatMap((text, index) => {
    try {
      return parseSha256Thumbprint(text, '`countersign certificate CA.pem`');
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      faults.push({ field: `${FIELD}[${index}]`, message: error.message });
      return [];
    }
  });
}

/** Who could vouch for the client's name. */
function missing({ anchors }: RegistrationPolicy): string {
  if (anchors.length === 0) return '';
  const names = anchors.map(({ subjectText, publicKeyThumbprint }) => `${publicKeyThumbprint} ("${subjectText}")`);
  if (names.length === 1) return `: write ${names[0]}`;
  return `: each of these CAs could vouch for this client; write the key of the one that does: ${names.join(', ')}`;
}
