import { sharedSubjectReason } from '../clients/methods/shared-subject.ts';
import type { ClientCertificate } from '../pki/certificate/client-certificate.ts';
import { formatDistinguishedName } from '../pki/certificate/names/distinguished-name.ts';
import type { AlternativeNameKind } from '../pki/certificate/subject-alternative-names.ts';
import { abbreviate, printable } from '../text.ts';

/** A name in a certificate, and the field that registers a client by it. */
export interface NameCandidate {
  readonly field: string;
  readonly value: string;
  /** Why it is unsuitable, if that is known without parsing a record. */
  readonly problem: string | undefined;
}

export const SPIFFE_ID_FIELD = 'tls_client_auth_spiffe_id';

const labels: Readonly<Record<string, string>> = {
  [SPIFFE_ID_FIELD]: 'SPIFFE ID',
  tls_client_auth_san_uri: 'URI',
  tls_client_auth_san_dns: 'DNS name',
  tls_client_auth_san_ip: 'IP address',
  tls_client_auth_san_email: 'email address',
  tls_client_auth_subject_dn: 'subject',
  subjectAltName: 'alternative name',
};

/** From the most to the least specific kind: a SPIFFE ID before the host that the workload runs on. */
const kinds = ['uri', 'dns', 'ip', 'email'] as const satisfies readonly AlternativeNameKind[];

/** The SPIFFE ID, if the certificate is the X509-SVID of a workload; otherwise a URI that looks like one. */
export function spiffeIdCandidates({ svid, alternativeNames }: ClientCertificate): NameCandidate[] {
  if (svid.spiffeId !== undefined) return [{ field: SPIFFE_ID_FIELD, value: svid.spiffeId, problem: undefined }];
  const value = alternativeNames.uri.find((uri) => uri.startsWith('spiffe:') && !isTrustDomain(uri));
  return value === undefined ? [] : [{ field: SPIFFE_ID_FIELD, value, problem: svid.reason }];
}

function isTrustDomain(uri: string): boolean {
  return sharedSubjectReason({ kind: 'uri', name: uri }) !== undefined;
}

/** The alternative names, the one to register a client by first. */
export function alternativeNameCandidates({ alternativeNames }: ClientCertificate): NameCandidate[] {
  return kinds.flatMap((kind) => {
    const names = [...new Set(alternativeNames[kind])];
    const ordered = kind === 'dns' ? names.toSorted((a, b) => labelsIn(b) - labelsIn(a)) : names;
    return ordered.map((value) => ({
      field: `tls_client_auth_san_${kind}`,
      value,
      problem: sharedProblem(sharedSubjectReason({ kind, name: value })),
    }));
  });
}

/** RFC 8705 §2.1.2 defines fields for four of the nine forms of a GeneralName. These are the others. */
export function otherAlternativeNames({ otherNames }: ClientCertificate): UnsuitableName[] {
  const { directory, otherForms } = otherNames;
  const forms = [...new Set(otherForms.map(({ tag }) => tag))].map((tag) => generalNameForms[tag] ?? `[${tag & 0x1f}]`);
  return [...(directory.length > 0 ? ['directoryName'] : []), ...forms].map((form) => ({
    field: 'subjectAltName',
    value: form,
    reason: 'OAuth has no client record field for this type of name (RFC 8705 §2.1.2)',
  }));
}

/** RFC 5280 §4.2.1.6, by tag. */
const generalNameForms: Readonly<Record<number, string>> = {
  160: 'otherName',
  163: 'x400Address',
  165: 'ediPartyName',
  136: 'registeredID',
};

/** Kubernetes services have `billing` next to `billing.production.svc`, and other namespaces have the short name, too. */
function labelsIn(host: string): number {
  return host.split('.').length;
}

export function subjectCandidate({ subject }: ClientCertificate): NameCandidate {
  const problem =
    subject.canonical === undefined
      ? subject.unmatchableReason
      : sharedProblem(sharedSubjectReason({ kind: 'dn', name: subject }));
  return { field: 'tls_client_auth_subject_dn', value: formatDistinguishedName(subject), problem };
}

function sharedProblem(reason: string | undefined): string | undefined {
  return reason && `other clients of the CA can have it as well: it ${reason}`;
}

/** What a field contains, in words. */
export function labelOf(field: string): string {
  return labels[field] ?? field;
}

/** A name in the certificate by which the client cannot, or should not, be registered. */
export interface UnsuitableName {
  readonly field: string;
  readonly value: string;
  readonly reason: string;
}

/** One line. */
export function describeUnsuitable({ field, value, reason }: UnsuitableName): string {
  return `Not by its ${labelOf(field)}${value === '' ? '' : ` ${abbreviate(printable(value))}`}: ${abbreviate(printable(reason))}`;
}
