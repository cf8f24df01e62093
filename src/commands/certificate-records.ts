import { X509Certificate } from 'node:crypto';
import { authenticateClient } from '../authentication/authenticate-client.ts';
import { type Diagnostic, formatDiagnostic } from '../clients/diagnostics.ts';
import { ClientsFileError, parseRecords } from '../clients/files/parse-records.ts';
import { CLIENT_ID_PLACEHOLDER, parseClient } from '../clients/parse-client.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { parseForm } from '../oauth/form.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import type { ChainStatus } from '../pki/path/verify-chain.ts';
import {
  alternativeNameCandidates,
  labelOf,
  type NameCandidate,
  otherAlternativeNames,
  SPIFFE_ID_FIELD,
  spiffeIdCandidates,
  subjectCandidate,
  type UnsuitableName,
} from './certificate-names.ts';
import { type SuggestedRecord, type Suggestions, suggest } from './suggested-record.ts';

export interface SuggestionContext {
  /** Whether the chain of the certificate is verified; undefined if there is no CA to verify it with. */
  readonly chain: ChainStatus | undefined;
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Suggests records that register this certificate: by its SPIFFE ID, by its best alternative name, by its subject, by its
 * thumbprint and by its key. Each suggestion has been parsed from its YAML as the server parses it, and has authenticated the
 * certificate. A name that other clients share is not suggested.
 */
export async function suggestRecords(certificate: ClientCertificate, context: SuggestionContext): Promise<Suggestions> {
  const spiffeIds = context.chain === undefined ? [] : spiffeIdCandidates(certificate);
  const bySpiffeId = await suggestName(spiffeIds, certificate, context);
  const byAlternativeName = await suggestName(alternativeNameCandidates(certificate), certificate, context);
  const others = byAlternativeName.records.length === 0 ? otherAlternativeNames(certificate) : [];
  const bySubject = await suggestName([subjectCandidate(certificate)], certificate, context);
  const byCertificate = await Promise.all(
    certificateSuggestions(certificate).map(async (suggestion) =>
      (await problemOf(suggestion, certificate, context)) === undefined ? [suggestion] : [],
    ),
  );
  return {
    records: [...bySpiffeId.records, ...byAlternativeName.records, ...bySubject.records, ...byCertificate.flat()],
    unsuitable: [...bySpiffeId.unsuitable, ...byAlternativeName.unsuitable, ...others, ...bySubject.unsuitable],
  };
}

/** The first name that works, and why those before it do not; for names of one field and one reason, the first. */
async function suggestName(
  candidates: readonly NameCandidate[],
  certificate: ClientCertificate,
  context: SuggestionContext,
): Promise<Suggestions> {
  const unsuitable = new Map<string, UnsuitableName>();
  for (const { field, value, problem } of candidates) {
    const record = recordOf('tls_client_auth', { [field]: value, ...pinFor(field, context) });
    const suggestion = suggest(titleFor(field, context, certificate), record);
    const reason = problem ?? (await problemOf(suggestion, certificate, context, field));
    if (reason === undefined) return { records: [suggestion], unsuitable: [...unsuitable.values()] };
    const key = `${field} ${reason}`;
    if (!unsuitable.has(key)) unsuitable.set(key, { field, value, reason });
  }
  return { records: [], unsuitable: [...unsuitable.values()] };
}

/** Only a verified chain determines the CA that a SPIFFE ID is pinned to. */
function titleFor(field: string, { chain }: SuggestionContext, { svid }: ClientCertificate): string {
  const by = `By ${labelOf(field)}`;
  if (field === SPIFFE_ID_FIELD)
    return `${by}, which is the sub of its tokens; * would stand for any segment of the path`;
  const isSpiffeId = field === 'tls_client_auth_san_uri' && svid.spiffeId !== undefined;
  const more = isSpiffeId && chain === undefined ? '; add --ca CA.pem for a record with its SPIFFE ID and CA' : '';
  return `${by}, in certificates from a trusted CA${more}`;
}

function certificateSuggestions({ thumbprint, otherThumbprints }: ClientCertificate): SuggestedRecord[] {
  const method = 'self_signed_tls_client_auth';
  const key = { public_key_thumbprint: otherThumbprints.publicKey };
  return [
    suggest('By this exact certificate, whatever its issuer', recordOf(method, { certificates: [{ thumbprint }] })),
    suggest(
      'By public key, so that the certificate can be renewed with the same key',
      recordOf(method, { certificates: [key] }),
    ),
  ];
}

function recordOf(method: string, identity: object): object {
  const tokenFields = { scope: 'api1', audience: 'https://api.example' };
  return { client_id: CLIENT_ID_PLACEHOLDER, token_endpoint_auth_method: method, ...identity, ...tokenFields };
}

/** The anchor of the certificate, if the field or the server requires a pin, or the server trusts other CAs as well. */
function pinFor(
  field: string,
  { chain, policy }: SuggestionContext,
): {
  readonly tls_client_auth_ca?: readonly string[];
} {
  const isNeeded = field === SPIFFE_ID_FIELD || policy.requireCaPin || policy.anchors.length > 1;
  const anchor = chain?.verified ? chain.paths?.[0]?.caCertificates.at(-1) : undefined;
  return anchor && isNeeded ? { tls_client_auth_ca: [anchor.publicKeyThumbprint] } : {};
}

/** Without a CA, the chain is assumed to be verified, unless the certificate has none. */
function assumedChain({ der }: ClientCertificate): ChainStatus {
  const openssl = new X509Certificate(der);
  if (!openssl.verify(openssl.publicKey)) return { verified: true, reason: 'assumed', paths: undefined };
  return { verified: false, code: 'path_issuer_unknown', reason: 'it is self-signed, so no CA issued it' };
}

/**
 * Why the server would not accept the record, or not accept the certificate with it.
 *
 * @param nameField the field of the name, which need not be repeated
 */
async function problemOf(
  { yaml }: SuggestedRecord,
  certificate: ClientCertificate,
  { chain = assumedChain(certificate), policy, now }: SuggestionContext,
  nameField?: string,
): Promise<string | undefined> {
  try {
    const [parsed] = parseRecords('record.yaml', yaml).records.map(({ value }) => parseClient(value, policy, now));
    const describe = (error: Diagnostic) => (error.field === nameField ? error.message : formatDiagnostic(error));
    if (!parsed?.ok) return parsed?.errors.map(describe).join('; ') ?? 'the record is lost';
    const { client } = parsed;
    const presented = { kind: 'certificate', certificate, chain } as const;
    await authenticateClient(
      client,
      { clientId: client.clientId, methods: [] },
      { form: parseForm(''), presented, now },
    );
    return undefined;
  } catch (error) {
    if (error instanceof ClientsFileError) return error.message;
    if (error instanceof OAuthError) return error.reason;
    throw error;
  }
}
