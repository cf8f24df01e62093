import { invalidClient, type OAuthError } from '../../oauth/oauth-error.ts';
import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import {
  formatDistinguishedName,
  isReverseOf,
  type MatchableName,
  sameDistinguishedName,
  sameValues,
} from '../../pki/certificate/names/distinguished-name.ts';
import type { ChainStatus } from '../../pki/path/verify-chain.ts';
import { abbreviate } from '../../text.ts';
import { alternativeNameIdentity, spiffeIdentity, subjectIdentity } from '../identities.ts';
import { EXACT, matchesPattern, type SpiffePattern, specificityOf } from '../spiffe-pattern.ts';
import { caPinField, parseCaPins } from './ca-pins.ts';
import type { AuthenticationMethod, RegisteredEntry } from './method.ts';
import { parseRegisteredSubjects, type RegisteredSubject, subjectFields } from './registered-subject.ts';
import { sharedSubjectReason } from './shared-subject.ts';

/** A name of a client of `tls_client_auth`. */
export interface TlsClientAuth extends RegisteredEntry {
  readonly subject: RegisteredSubject;
  /** Keys of CAs (SHA-256, base64url), one of which must be on the certification path; empty: any anchor will do. */
  readonly caPins: readonly string[];
}

const fields = { ...subjectFields, ...caPinField };

const SPIFFE_PIN = 'tls_client_auth_spiffe_id requires it, to tie the trust domain to its CA';

const SHARED_SUBJECT_FIX =
  'every certificate with it from a trusted CA authenticates as this client. Register a name that only its certificate ' +
  'has, or the certificate itself (`countersign certificate FILE` prints both), or pin the client to a CA of its own ' +
  '(tls_client_auth_ca)';

/**
 * `tls_client_auth` (RFC 8705 §2.1): the certificate's chain is verified, its path contains a pinned CA if the client
 * has any, and the leaf contains the registered subject value.
 */
export const tlsClientAuth: AuthenticationMethod<TlsClientAuth, typeof fields> = {
  fields,
  secretTypes: ['X509Name', 'X509CertificateName'],
  identifiedBy: { quantity: 'one', fields: Object.keys(subjectFields) as (keyof typeof subjectFields)[] },
  dependentRequired: { tls_client_auth_spiffe_id: ['tls_client_auth_ca'] },
  credential: 'certificate',
  requiresChain: true,
  parse: (record, policy, diagnostics, now) => {
    const registered = parseRegisteredSubjects(record, diagnostics, now);
    const isSpiffe = record.tls_client_auth_spiffe_id !== undefined;
    const caPins = parseCaPins(record, policy, diagnostics, isSpiffe ? SPIFFE_PIN : undefined);
    return registered.map(({ field, ...entry }) => {
      const reason = caPins.length === 0 ? sharedSubjectReason(entry.subject) : undefined;
      if (reason !== undefined) diagnostics.warnings.push({ field, message: `${reason}: ${SHARED_SUBJECT_FIX}` });
      return { ...entry, caPins };
    });
  },
  identity: ({ subject }) => {
    if (subject.kind === 'dn') return subjectIdentity(subject.name);
    if (subject.kind === 'verbatim_dn') return { ...subjectIdentity(subject.name), verbatim: subject.name };
    if (subject.kind === 'spiffe') return spiffeIdentity(subject.pattern);
    return alternativeNameIdentity(subject.kind, subject.name);
  },
  containedCertificate: () => undefined,
  spiffePattern: ({ subject }) => (subject.kind === 'spiffe' ? subject.pattern : undefined),
  specificity: ({ subject }) => {
    if (subject.kind === 'spiffe') return specificityOf(subject.pattern);
    return subject.kind === 'uri' ? EXACT : undefined;
  },
  caPins: ({ caPins }) => caPins,
  recognizes: ({ subject }, certificate) => hasSubject(certificate, subject),
  authenticate: ({ subject, caPins }, { certificate, chain }) => {
    const violation = chainViolation(certificate, chain);
    if (violation) throw violation;
    requirePinnedCa(caPins, chain);
    return { certificate, sub: subClaim(certificate, subject) };
  },
  mismatch: (registered, { certificate, chain }) => {
    // A chain whose validation was postponed for no purpose is not why the client is rejected.
    const violation = !chain.verified && chain.postponed ? undefined : chainViolation(certificate, chain);
    const subjects = registered.map(({ subject }) => subject);
    return violation ?? subjectMismatch(certificate, subjects);
  },
};

/** Why a certificate does not count, whatever its names are: its chain is not verified, or weakly signed. */
function chainViolation({ signatureAlgorithm }: ClientCertificate, chain: ChainStatus): OAuthError | undefined {
  if (!chain.verified) return invalidClient(chain.code, `the certificate's chain is not verified: ${chain.reason}`);
  if (signatureAlgorithm !== undefined) return undefined;
  return invalidClient(
    'signature_algorithm_weak',
    'the certificate is signed with an algorithm that is not accepted (SHA-1, MD5 or unknown)',
  );
}

/** Requires a valid path through one of the pinned CAs, identified by its key. */
function requirePinnedCa(pins: readonly string[], chain: ChainStatus): void {
  if (pins.length === 0) return;
  const pinned = `the client is pinned to CA key ${pins.join(' or ')}`;
  if (!chain.verified || chain.paths === undefined) {
    throw invalidClient(
      'ca_pin_unverifiable',
      `${pinned}, and the path is not known: COUNTERSIGN_CHAIN_VERIFIED_BY is not countersign`,
    );
  }
  const caCertificates = chain.paths.flatMap((path) => path.caCertificates);
  if (caCertificates.some(({ publicKeyThumbprint }) => pins.includes(publicKeyThumbprint))) return;
  const keys = caCertificates.map(
    ({ subjectText, publicKeyThumbprint }) => `${publicKeyThumbprint} ("${subjectText}")`,
  );
  throw invalidClient(
    'ca_pin_mismatch',
    `${pinned}; the certificate's path goes through ${[...new Set(keys)].join(', ')}`,
  );
}

type RegisteredName = Extract<RegisteredSubject, { name: MatchableName }>;

function isName(subject: RegisteredSubject): subject is RegisteredName {
  return subject.kind === 'dn' || subject.kind === 'verbatim_dn';
}

function hasSubject(certificate: ClientCertificate, registered: RegisteredSubject): boolean {
  if (registered.kind === 'dn') return sameDistinguishedName(certificate.subject, registered.name);
  if (registered.kind === 'verbatim_dn') {
    return (
      sameDistinguishedName(certificate.subject, registered.name) && sameValues(certificate.subject, registered.name)
    );
  }
  if (registered.kind === 'spiffe') {
    const { spiffeId } = certificate.svid;
    return spiffeId !== undefined && matchesPattern(spiffeId, registered.pattern);
  }
  return certificate.alternativeNames[registered.kind].includes(registered.name);
}

/** A client that is registered by a SPIFFE ID acts as the workload, of which a pattern has several. */
function subClaim({ svid }: ClientCertificate, { kind }: RegisteredSubject): string | undefined {
  return kind === 'spiffe' ? svid.spiffeId : undefined;
}

/** Several names are all subjects: only secrets can be several. */
function subjectMismatch(certificate: ClientCertificate, subjects: readonly RegisteredSubject[]): OAuthError {
  const subjectNames = subjects.flatMap((subject) => (isName(subject) ? [subject.name] : []));
  const [registered] = subjects;
  if (!registered || isName(registered)) return nameMismatch(certificate, subjectNames);
  if (registered.kind === 'spiffe') return spiffeMismatch(certificate, registered.pattern);
  const presented = certificate.alternativeNames[registered.kind].slice(0, 10).join(', ') || 'none';
  const malformed = certificate.otherNames.malformed.get(registered.kind);
  const ignored = malformed === undefined ? '' : `, and ${malformed}, which is ignored`;
  const names = `the certificate's alternative names (${registered.kind}) are: ${abbreviate(presented)}${ignored}`;
  return invalidClient('san_mismatch', `${names}; registered is "${registered.name}"`);
}

function spiffeMismatch({ svid, alternativeNames }: ClientCertificate, { text }: SpiffePattern): OAuthError {
  const registered = `registered is "${text}"`;
  if (svid.spiffeId !== undefined)
    return invalidClient('spiffe_id_mismatch', `the certificate's SPIFFE ID is "${svid.spiffeId}"; ${registered}`);
  const uris = alternativeNames.uri.slice(0, 10).join(', ');
  const presented = uris === '' ? '' : ` (${abbreviate(uris)})`;
  const reason = `the certificate is not the X509-SVID of a workload: ${svid.reason}${presented}; ${registered}`;
  return invalidClient('spiffe_id_missing', reason);
}

/** How many names a reason lists. */
const MAX_NAMED = 5;

function nameMismatch({ subject, subjectText }: ClientCertificate, registered: readonly MatchableName[]): OAuthError {
  if (subject.canonical === undefined) {
    const reason = `the certificate's subject "${subjectText}" cannot match any client: ${subject.unmatchableReason}`;
    return invalidClient('subject_dn_unmatchable', reason);
  }
  const hint = mismatchHint(subject, subjectText, registered);
  const expected = registered.slice(0, MAX_NAMED).map((name) => `"${abbreviate(formatDistinguishedName(name))}"`);
  const more = registered.length > MAX_NAMED ? ` or one of ${registered.length - MAX_NAMED} more` : '';
  const reason = `the certificate's subject is "${subjectText}"; registered is ${expected.join(' or ')}${more}${hint}`;
  return invalidClient('subject_dn_mismatch', reason);
}

function mismatchHint(subject: MatchableName, subjectText: string, registered: readonly MatchableName[]): string {
  if (registered.some((name) => sameDistinguishedName(subject, name)))
    return ', which differs in case or spaces: an X509Name secret matches the same characters only, as in IdentityServer';
  if (!registered.some((name) => isReverseOf(subject, name))) return '';
  return `, which is the reverse; if the certificate is right, register ${subjectText}`;
}
